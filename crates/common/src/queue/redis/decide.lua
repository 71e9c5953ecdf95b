-- ARGV: now; then for each decision: queue, job, worker, epoch, verdict and its two arguments, how many follow-ups,
-- how many facts; the follow-ups, which are jobs; for each fact its id and payload.
-- Answers for each decision STALE, SILENT when an event would end and nobody said how, or a list of QUEUED or
-- DUPLICATE for each follow-up. A decision that is refused has written nothing.
local STALE, DECISION_FIELDS = 3, 9

-- Whether this is the event's last job, and it neither has an ending nor names a job that carries it on.
local function ends_silently(queue, tenant, event, ending, follow_ups, at)
  local line = line_of(queue, tenant, event)
  if not line or line.live > 1 or line.dead > 0 or line.best > 0 or ending ~= '0' then return false end
  for _ = 1, follow_ups do
    if ARGV[at] ~= 'history' and ARGV[at + 2] == tenant and ARGV[at + 3] == event then return false end
    at = behind_job(at)
  end
  return true
end

-- The job's part of the decision; its lease has ended.
local function carry_out(verdict, first, second, queue, id, head)
  local job, lane, tenant, event, order = P .. 'job:' .. id, head[4], head[5], head[6] or '', head[7] or ''
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
end

-- Carries out the decision whose fields begin at ARGV[i]; `at` is where its follow-ups begin.
local function decide(i, at, follow_ups, facts)
  local queue, id, worker, epoch = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local verdict, first, second = ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]
  local head = call('HMGET', P .. 'job:' .. id, 'q', 'w', 'p', 'l', 't', 'e', 'o')
  if head[1] ~= queue or head[2] ~= worker or head[3] ~= epoch then return STALE end
  if verdict == 'complete' and ends_silently(queue, head[5], head[6] or '', first, follow_ups, at) then
    return SILENT
  end
  call('LREM', P .. 'processing:' .. queue .. ':' .. worker, 1, id)
  unlease(queue, head[4])
  carry_out(verdict, first, second, queue, id, head)
  local answers = {}
  for n = 1, follow_ups do
    answers[n] = push(at)
    at = behind_job(at)
  end
  for _ = 1, facts do
    tell(head[5], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
  return answers
end

local answers, i = {}, 2
while i <= #ARGV do
  local follow_ups, facts = tonumber(ARGV[i + 7]), tonumber(ARGV[i + 8])
  local at = i + DECISION_FIELDS
  answers[#answers + 1] = decide(i, at, follow_ups, facts)
  for _ = 1, follow_ups do at = behind_job(at) end
  i = at + facts * 2
end
finish()
return answers
