-- ARGV: now, queue, job, worker, epoch, verdict and its two arguments, how many follow-ups; for each
-- follow-up its queue and JOB_FIELDS fields; for each fact its id and payload.
-- Answers nil when the lease is stale, SILENT when an event would end and nobody said how, else QUEUED or
-- DUPLICATE for each follow-up.
local queue, id, worker, epoch = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local verdict, first, second = ARGV[6], ARGV[7], ARGV[8]
local job = P .. 'job:' .. id
local head = call('HMGET', job, 'q', 'w', 'p', 'l', 't', 'e', 'o')
if head[1] ~= queue or head[2] ~= worker or head[3] ~= epoch then return nil end
local lane, tenant, event, order = head[4], head[5], head[6] or '', head[7] or ''
local FOLLOW_UPS, follow_ups = 10, tonumber(ARGV[9])

-- Whether this is the event's last job, and it neither has an ending nor names a job that carries it on.
local function ends_silently()
  local line = line_of(queue, tenant, event)
  if not line or line.live > 1 or line.dead > 0 or line.best > 0 or first ~= '0' then return false end
  for i = FOLLOW_UPS, FOLLOW_UPS + (follow_ups - 1) * (1 + JOB_FIELDS), 1 + JOB_FIELDS do
    if ARGV[i] ~= 'history' and ARGV[i + 2] == tenant and ARGV[i + 3] == event then return false end
  end
  return true
end
if verdict == 'complete' and ends_silently() then return { SILENT } end

call('LREM', P .. 'processing:' .. queue .. ':' .. worker, 1, id)
unlease(queue, lane)

if verdict == 'complete' then
  local line = line_of(queue, tenant, event)
  ends(line, tonumber(first))
  if line then line.live = line.live - 1 end
  call('DEL', job, P .. 'body:' .. id)
  make_way(queue, order)
elseif verdict == 'retry' then
  call('HINCRBY', job, 'n', 1)
  call('HDEL', job, 'w', 'p')
  ready_or_waiting(queue, lane, id, now + tonumber(first))
elseif verdict == 'defer' and second == 'lane' then
  give_back(queue, lane, id)
  if tonumber(first) > 0 then
    call('ZADD', P .. 'paused:' .. queue, 'GT', now + tonumber(first), lane)
    call('ZREM', P .. 'lanes:' .. queue, lane)
  end
elseif verdict == 'defer' then
  call('HDEL', job, 'w', 'p')
  ready_or_waiting(queue, lane, id, now + tonumber(first))
elseif verdict == 'bury' then
  bury(queue, id, first)
end

local answers, i = {}, FOLLOW_UPS
for _ = 1, follow_ups do
  answers[#answers + 1] = push(ARGV[i], i + 1)
  i = i + 1 + JOB_FIELDS
end
for fact = i, #ARGV, 2 do
  push_fact(tenant, ARGV[fact], ARGV[fact + 1])
end
finish()
return answers
