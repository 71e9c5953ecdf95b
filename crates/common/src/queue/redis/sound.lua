-- For tests: what mod.rs says holds between steps. Answers what does not.
local call, P, broken = redis.call, KEYS[1] .. ':', {}

local function expect(holds, ...)
  if not holds then broken[#broken + 1] = table.concat({ ... }, ' ') end
end

local jobs, places = 0, 0
for _, key in ipairs(call('KEYS', P .. 'job:*')) do
  jobs = jobs + 1
  local id = string.sub(key, #P + 5)
  expect(call('EXISTS', P .. 'body:' .. id) == 1, id, 'has no payload')
  expect(call('OBJECT', 'ENCODING', key) == 'listpack' or call('HEXISTS', key, 'r') == 1, id, 'has a large head')
end
expect(#call('KEYS', P .. 'body:*') == jobs, 'there are payloads without jobs')

local function place(id, where, leased, dead)
  local head = call('HMGET', P .. 'job:' .. id, 'q', 'w', 'b')
  places = places + 1
  expect(head[1], id, 'in', where, 'has no head')
  expect((head[2] or false) ~= false == leased, id, 'in', where, 'is leased or not, wrongly')
  expect((head[3] or false) ~= false == dead, id, 'in', where, 'is dead or not, wrongly')
end

for _, queue in ipairs({ 'intake', 'route', 'deliver', 'enrich', 'history' }) do
  for _, key in ipairs(call('KEYS', P .. 'ready:' .. queue .. ':*')) do
    local lane, last = string.sub(key, #P + #queue + 8), 0
    local turn, paused = call('ZSCORE', P .. 'lanes:' .. queue, lane), call('ZSCORE', P .. 'paused:' .. queue, lane)
    expect(turn or paused, key, 'is in no rotation')
    expect(not (turn and paused), key, 'is paused and in the rotation')
    for _, id in ipairs(call('LRANGE', key, 0, -1)) do
      local s = tonumber(call('HGET', P .. 'job:' .. id, 's'))
      expect(s > last, id, 'in', key, 'is out of order')
      last = s
      place(id, key, false, false)
    end
  end
  for _, lane in ipairs(call('ZRANGE', P .. 'lanes:' .. queue, 0, -1)) do
    expect(call('EXISTS', P .. 'ready:' .. queue .. ':' .. lane) == 1, queue, lane, 'has a turn but no job')
  end
  local leased = {}
  for _, key in ipairs(call('KEYS', P .. 'processing:' .. queue .. ':*')) do
    local worker = string.sub(key, #P + #queue + 13)
    expect(call('ZSCORE', P .. 'workers', worker), worker, 'has jobs and is not watched')
    for _, id in ipairs(call('LRANGE', key, 0, -1)) do
      local lane = call('HGET', P .. 'job:' .. id, 'l')
      leased[lane] = (leased[lane] or 0) + 1
      place(id, key, true, false)
    end
  end
  local counts = call('HGETALL', P .. 'leased:' .. queue)
  for i = 1, #counts, 2 do
    expect(leased[counts[i]] == tonumber(counts[i + 1]), queue, counts[i], 'has another number of leases')
    leased[counts[i]] = nil
  end
  expect(next(leased) == nil, queue, 'has leases that are not counted')
  for _, id in ipairs(call('ZRANGE', P .. 'retry:' .. queue, 0, -1)) do place(id, 'retry', false, false) end
  for _, id in ipairs(call('LRANGE', P .. 'dead:' .. queue, 0, -1)) do place(id, 'dead', false, true) end
  for _, member in ipairs(call('ZRANGE', P .. 'held:' .. queue, 0, -1)) do
    local id = string.sub(member, -32)
    local order = call('HGET', P .. 'job:' .. id, 'o')
    local moving = order and call('HGET', P .. 'order:' .. queue, order)
    expect(moving and call('EXISTS', P .. 'job:' .. moving) == 1, id, 'is held behind nothing')
    place(id, 'held', false, false)
  end
end
expect(places == jobs, jobs, 'jobs are in', places, 'places')
return broken
