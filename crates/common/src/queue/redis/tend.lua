-- ARGV: now, how many jobs to move at most. Answers due, reclaimed, buried, and 1 when more is to be done.
local left = tonumber(ARGV[2])
local due, reclaimed, buried = 0, 0, 0

-- A clock that jumped back leaves times far ahead: none may be farther than DELAY_MAX.
local function clamp(times)
  local far = call('ZRANGE', times, '+inf', string.format('(%.0f', now + DELAY_MAX), 'BYSCORE', 'REV', 'LIMIT', 0, left)
  for _, member in ipairs(far) do call('ZADD', times, now + DELAY_MAX, member) end
  left = left - #far
end

local function until_now(times)
  return call('ZRANGE', times, '-inf', now, 'BYSCORE', 'LIMIT', 0, left)
end

local function end_pauses(queue)
  local paused = P .. 'paused:' .. queue
  clamp(paused)
  for _, lane in ipairs(until_now(paused)) do
    call('ZREM', paused, lane)
    if call('EXISTS', P .. 'ready:' .. queue .. ':' .. lane) == 1 then open_lane(queue, lane) end
    left = left - 1
  end
end

local function wake_due(queue)
  local retry = P .. 'retry:' .. queue
  clamp(retry)
  for _, id in ipairs(until_now(retry)) do
    call('ZREM', retry, id)
    local lane = call('HGET', P .. 'job:' .. id, 'l')
    if lane then make_ready(queue, lane, id) end
    due, left = due + 1, left - 1
  end
end

-- How long nobody listened. A Redis that does not know was restarted meanwhile, or took another one's place. It is
-- written into the memory of this one only: the log would cost an idle queue a write to the disk with each call.
local function unheard()
  local last = tonumber(call('GET', P .. 'tended') or 0)
  redis.set_repl(redis.REPL_NONE)
  call('SET', P .. 'tended', now)
  redis.set_repl(redis.REPL_ALL)
  return math.max(now - last - SILENCE_MAX, 0)
end

-- Takes from the workers' silence the time in which nobody listened. And after a clock jumped back, a worker is
-- believed no longer than its time to live from now on.
local function listen()
  local deaf = unheard()
  local workers = call('ZRANGE', P .. 'workers', 0, -1, 'WITHSCORES')
  for i = 1, #workers, 2 do
    local ttl = tonumber(call('HGET', P .. 'ttls', workers[i])) or UNANNOUNCED_TTL
    local deadline = tonumber(workers[i + 1])
    if math.min(deadline + deaf, now + ttl) ~= deadline then
      call('ZADD', P .. 'workers', math.min(deadline + deaf, now + ttl), workers[i])
    end
  end
end

local function lapse(queue, lane, id)
  unlease(queue, lane)
  if call('HINCRBY', P .. 'job:' .. id, 'x', 1) >= LAPSES_MAX then
    bury(queue, id, 'its worker vanished ' .. LAPSES_MAX .. ' times')
    buried = buried + 1
  else
    give_back(queue, lane, id)
  end
end

local function reclaim(worker)
  for _, queue in ipairs(QUEUES) do
    local processing = P .. 'processing:' .. queue .. ':' .. worker
    while left > 0 do
      local id = call('RPOP', processing)
      if not id then break end
      local lane = call('HGET', P .. 'job:' .. id, 'l')
      if lane then lapse(queue, lane, id) end
      reclaimed, left = reclaimed + 1, left - 1
    end
  end
  if left > 0 then forget(worker) end
end

for _, queue in ipairs(QUEUES) do
  end_pauses(queue)
  wake_due(queue)
end
listen()
for _, worker in ipairs(until_now(P .. 'workers')) do reclaim(worker) end
finish()

local function more_is_due()
  if left > 0 then return 0 end
  local overdue = call('ZCOUNT', P .. 'workers', '-inf', now)
  for _, queue in ipairs(QUEUES) do
    overdue = overdue + call('ZCOUNT', P .. 'retry:' .. queue, '-inf', now)
    overdue = overdue + call('ZCOUNT', P .. 'paused:' .. queue, '-inf', now)
  end
  return overdue > 0 and 1 or 0
end

return { due, reclaimed, buried, more_is_due() }
