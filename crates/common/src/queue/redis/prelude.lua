-- What every script shares; scripts.rs puts the constants before it and the script after it.
-- KEYS[1] is the partition, `watchbell:{0}`. ARGV[1] is the time in milliseconds when a test holds the clock,
-- else empty. The keys and the fields of a job's head are described in mod.rs.
--
-- A script that fails in the middle is not rolled back, so nothing here can fail after the first write: keys
-- have the types we gave them, and an id whose head someone else deleted is dropped where it is met.

local call, P = redis.call, KEYS[1] .. ':'

local function server_ms()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local now = tonumber(ARGV[1]) or server_ms()

-- Calls a command with many arguments, in pieces that fit Lua's stack. Answers what the last one did.
local PIECE = 1000
local function call_with(command, key, values)
  local answer
  for i = 1, #values, PIECE do
    answer = call(command, key, unpack(values, i, math.min(i + PIECE - 1, #values)))
  end
  return answer
end

-- One number for everything that must go up: places in lanes, turns of lanes, ages, epochs. finish() writes
-- down the last one.
local last_number
local function next_number()
  last_number = (last_number or tonumber(call('GET', P .. 'seq') or 0)) + 1
  return last_number
end

-- Books ------------------------------------------------------------------------------------------------

-- What this call changes, per tenant; written by finish(), with few commands for many jobs.
local accounts = {}

local function account_of(tenant)
  local account = accounts[tenant]
  if not account then
    account = { ledger = P .. 'ledger:' .. tenant, lines = {} }
    accounts[tenant] = account
  end
  return account
end

-- The ledger line that a job counts in, read once per call; nil for a job that is not in the books.
local function line_of(queue, tenant, event)
  if event == '' or queue == 'history' then return nil end
  local account = account_of(tenant)
  local line = account.lines[event]
  if not line then
    line = { live = 0, dead = 0, best = 0 }
    local text = call('HGET', account.ledger, event)
    if text then
      local live, dead, best = string.match(text, '^(%d+) (%d+) (%d+)$')
      line.live, line.dead, line.best, line.open = tonumber(live), tonumber(dead), tonumber(best), true
      line.was_dead = line.live == 0 and line.dead > 0
    end
    account.lines[event] = line
  end
  return line
end

-- Endings are numbered from the best, 1; 0 is none yet.
local function ends(line, ending)
  if line and ending > 0 and (line.best == 0 or ending < line.best) then line.best = ending end
end

local function settle(tenant, account)
  local open, closed, counts = {}, {}, {}
  local function count(name, by)
    counts[name] = (counts[name] or 0) + by
  end
  for event, line in pairs(account.lines) do
    if not line.open then count('received', 1) end
    if line.live > 0 or line.dead > 0 then
      open[#open + 1] = event
      open[#open + 1] = line.live .. ' ' .. line.dead .. ' ' .. line.best
    else
      if line.open then closed[#closed + 1] = event end
      -- Nobody said how it ended: then nobody got it.
      count(ENDINGS[line.best] or 'unrouted', 1)
    end
    local is_dead = line.live == 0 and line.dead > 0
    if is_dead and not line.was_dead then count('dead', 1) end
    if line.was_dead and not is_dead then count('dead', -1) end
  end
  call_with('HSET', account.ledger, open)
  call_with('HDEL', account.ledger, closed)
  for name, by in pairs(counts) do
    if by ~= 0 then call('HINCRBY', P .. 'books', tenant .. ':' .. name, by) end
  end
end

-- Lanes ------------------------------------------------------------------------------------------------

local stirred = {}

-- Puts a lane into the rotation when it got its first ready job.
local function open_lane(queue, lane)
  stirred[queue] = true
  if not call('ZSCORE', P .. 'paused:' .. queue, lane) then
    call('ZADD', P .. 'lanes:' .. queue, next_number(), lane)
  end
end

-- The jobs that this call puts at the ends of lanes, by list and in the order of their lanes' turns.
local arrivals, arrivals_in_turn = {}, {}

-- Puts a job at the end of its lane, when the call finishes. `placed` says that it got its number just now.
local function make_ready(queue, lane, id, placed)
  if not placed then call('HSET', P .. 'job:' .. id, 's', next_number()) end
  local list = P .. 'ready:' .. queue .. ':' .. lane
  local arrival = arrivals[list]
  if not arrival then
    arrival = { queue = queue, lane = lane, list = list, ids = {} }
    arrivals[list] = arrival
    arrivals_in_turn[#arrivals_in_turn + 1] = arrival
  end
  arrival.ids[#arrival.ids + 1] = id
end

local function arrive()
  for _, arrival in ipairs(arrivals_in_turn) do
    stirred[arrival.queue] = true
    local length = call_with('RPUSH', arrival.list, arrival.ids)
    if length == #arrival.ids then open_lane(arrival.queue, arrival.lane) end
  end
end

-- The lease ends without a decision: the job goes to the head of its lane, before all that were queued after
-- it (so also before those that arrive in this call), behind those that were queued before it and were given
-- back as well.
local function give_back(queue, lane, id)
  call('HDEL', P .. 'job:' .. id, 'w', 'p')
  local ready, i = P .. 'ready:' .. queue .. ':' .. lane, 0
  local place = tonumber(call('HGET', P .. 'job:' .. id, 's'))
  local other = call('LINDEX', ready, 0)
  while other and (tonumber(call('HGET', P .. 'job:' .. other, 's')) or 0) < place do
    i = i + 1
    other = call('LINDEX', ready, i)
  end
  stirred[queue] = true
  if not other then
    if call('RPUSH', ready, id) == 1 then open_lane(queue, lane) end
  elseif i == 0 then
    call('LPUSH', ready, id)
  else
    call('LINSERT', ready, 'BEFORE', other, id)
  end
end

-- Ready when it is due, waiting until then.
local function ready_or_waiting(queue, lane, id, due, placed)
  if due > now then
    call('ZADD', P .. 'retry:' .. queue, due, id)
  else
    make_ready(queue, lane, id, placed)
  end
end

-- Order ------------------------------------------------------------------------------------------------

-- Held jobs of all order keys share one sorted set and sort by key, then age. The length before the key
-- keeps `a` + `b…` apart from `ab` + `…`.
local function held_prefix(order)
  return string.format('%02d', #order) .. order
end

-- Lets a new (or replayed) job in: held when another one with its order key moves.
local function enter(queue, lane, order, id, due, age, placed)
  if order ~= '' and call('HSETNX', P .. 'order:' .. queue, order, id) == 0 then
    call('ZADD', P .. 'held:' .. queue, 0, held_prefix(order) .. string.format('%016.0f', age) .. id)
  else
    ready_or_waiting(queue, lane, id, due, placed)
  end
end

-- A job stops moving for good: the oldest one held behind it goes on.
local function make_way(queue, order)
  if order == '' then return end
  local held, prefix = P .. 'held:' .. queue, held_prefix(order)
  local first = call('ZRANGEBYLEX', held, '[' .. prefix, '[' .. prefix .. '\255', 'LIMIT', 0, 1)[1]
  if not first then
    call('HDEL', P .. 'order:' .. queue, order)
    return
  end
  call('ZREM', held, first)
  local id = string.sub(first, -32)
  call('HSET', P .. 'order:' .. queue, order, id)
  local head = call('HMGET', P .. 'job:' .. id, 'l', 'd')
  ready_or_waiting(queue, head[1] or '', id, tonumber(head[2]) or 0)
end

-- Pushing ----------------------------------------------------------------------------------------------

local QUEUED, DUPLICATE, SILENT = 0, 1, 2
-- A job among the arguments is its queue, id, tenant, event, lane, payload and whether more follows; then its order, dedup
-- key, variant, window, fact id, fact, counter, whether that closes, and delay. Most jobs have none of these, and
-- reading them took about a tenth of Redis's time for a push.
local JOB_FIELDS, MORE_FIELDS = 7, 9

-- Where the arguments go on behind the job that begins at ARGV[i].
local function behind_job(i)
  return i + JOB_FIELDS + (ARGV[i + 6] == '1' and MORE_FIELDS or 0)
end

-- The facts of this call: bundles per tenant, in the format of facts.rs. A bundle is named after its first fact.
local bundles, open_bundle = {}, {}

local function tell(tenant, id, fact)
  local bundle = open_bundle[tenant]
  if not bundle or bundle.bytes + #fact > BUNDLE_BYTES then
    bundle = { tenant = tenant, id = id, bytes = 0, parts = {} }
    open_bundle[tenant] = bundle
    bundles[#bundles + 1] = bundle
  end
  bundle.bytes = bundle.bytes + #fact + 4
  bundle.parts[#bundle.parts + 1] = struct.pack('>I4', #fact)
  bundle.parts[#bundle.parts + 1] = fact
end

local function push_bundles()
  for _, bundle in ipairs(bundles) do
    local job = P .. 'job:' .. bundle.id
    if call('EXISTS', job) == 0 then
      call('HSET', job, 'q', 'history', 't', bundle.tenant, 'l', bundle.tenant, 's', next_number())
      call('SET', P .. 'body:' .. bundle.id, table.concat(bundle.parts))
      make_ready('history', bundle.tenant, bundle.id, true)
    end
  end
end

-- Whether the same was seen inside the window; if not, a new window starts. A time limit that lies farther
-- ahead than the window comes from a clock that jumped back, and is not believed.
local function is_repeat(key, variant, window)
  local name = P .. 'dedup:' .. key
  local last = call('GET', name)
  if last then
    local ends_at, of = string.match(last, '^(%d+) (.*)$')
    local left = tonumber(ends_at) - now
    if of == variant and left > 0 and left <= window then return true end
  end
  call('SET', name, string.format('%.0f ', now + window) .. variant, 'PX', window)
  return false
end

-- How many jobs there are in the present episode of a counter, and when it began.
local function counted(name, closes)
  local last, count, since = call('GET', P .. 'count:' .. name), 0, now
  if last then
    local ends_at, number, began, closed = string.match(last, '^(%d+) (%d+) (%d+) ([01])$')
    if ends_at and tonumber(ends_at) >= now and (closed == '0' or closes == '1') then
      count, since = tonumber(number), tonumber(began)
    end
  end
  local text = string.format('%.0f %d %.0f %s', now + COUNTER_TTL, count + 1, since, closes)
  call('SET', P .. 'count:' .. name, text, 'PX', COUNTER_TTL)
  return count + 1, since
end

local function add_field(head, name, value)
  head[#head + 1] = name
  head[#head + 1] = value
end

-- Pushes the job that begins at ARGV[i].
local function push(i)
  local queue, id, tenant, event, lane = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local more = ARGV[i + 6] == '1' and i + JOB_FIELDS
  local order, window, counter, delay = '', 0, '', 0
  if more then
    order, window = ARGV[more], tonumber(ARGV[more + 3])
    counter, delay = ARGV[more + 6], tonumber(ARGV[more + 8])
  end
  local job, body = P .. 'job:' .. id, P .. 'body:' .. id
  if window > 0 then
    if call('EXISTS', job) == 1 then return QUEUED end
    if is_repeat(ARGV[more + 1], ARGV[more + 2], window) then
      ends(line_of(queue, tenant, event), DEDUPLICATED)
      tell(tenant, ARGV[more + 4], ARGV[more + 5])
      return DUPLICATE
    end
  end
  -- A job has its payload exactly as long as it has its head.
  if not call('SET', body, ARGV[i + 5], 'NX') then return QUEUED end
  local line = line_of(queue, tenant, event)
  local count, since = 0, nil
  if counter ~= '' then count, since = counted(counter, ARGV[more + 7]) end
  if line then line.live = line.live + 1 end
  local place = next_number()
  local head = { 'q', queue, 't', tenant, 'l', lane, 's', place }
  if event ~= '' then add_field(head, 'e', event) end
  if count > 0 then
    add_field(head, 'c', count)
    add_field(head, 'f', string.format('%.0f', since))
  end
  if delay > 0 then add_field(head, 'd', now + delay) end
  if order ~= '' then
    add_field(head, 'o', order)
    add_field(head, 'a', place)
  end
  call('HSET', job, unpack(head))
  enter(queue, lane, order, id, now + delay, place, true)
  return QUEUED
end

-- Leases -----------------------------------------------------------------------------------------------

-- A worker is believed to live for `ttl` from now on.
local function believe(worker, ttl)
  call('ZADD', P .. 'workers', now + ttl, worker)
  call('HSET', P .. 'ttls', worker, ttl)
end

-- The caller saw to it that the worker has no jobs.
local function forget(worker)
  call('ZREM', P .. 'workers', worker)
  call('HDEL', P .. 'ttls', worker)
end

-- The job is in no worker's hands any more; the caller took it off the worker's list.
local function unlease(queue, lane)
  stirred[queue] = true
  if call('HINCRBY', P .. 'leased:' .. queue, lane, -1) <= 0 then call('HDEL', P .. 'leased:' .. queue, lane) end
end

local function bury(queue, id, reason)
  local head = call('HMGET', P .. 'job:' .. id, 't', 'e', 'o')
  call('HDEL', P .. 'job:' .. id, 'w', 'p')
  call('HSET', P .. 'job:' .. id, 'b', now, 'r', reason)
  call('RPUSH', P .. 'dead:' .. queue, id)
  make_way(queue, head[3] or '')
  local line = line_of(queue, head[1], head[2] or '')
  if line then line.live, line.dead = line.live - 1, line.dead + 1 end
end

-- The last step of every script that moves jobs: queues the facts, lets the arrivals in, writes the books and wakes one waiting
-- worker per queue. That worker wakes the next one when it leaves something behind.
local function finish()
  push_bundles()
  arrive()
  if last_number then call('SET', P .. 'seq', string.format('%.0f', last_number)) end
  for tenant, account in pairs(accounts) do settle(tenant, account) end
  for queue in pairs(stirred) do
    local wake = P .. 'wake:' .. queue
    if call('EXISTS', wake) == 0 and call('EXISTS', P .. 'lanes:' .. queue) == 1 then call('LPUSH', wake, 1) end
  end
end
