-- ARGV: now, queue, worker, how many, how many per lane (0: any), whole lanes (1: only lanes of which nothing is
-- leased), bytes. Answers nothing, or the epoch and then 9 fields per job: id, tenant, event, lane, attempts, lapses,
-- count, since, payload.
local queue, worker, per_lane = ARGV[2], ARGV[3], tonumber(ARGV[5])
local max, whole_lanes, bytes = tonumber(ARGV[4]), ARGV[6] == '1', tonumber(ARGV[7])
local lanes, leased = P .. 'lanes:' .. queue, P .. 'leased:' .. queue
local processing = P .. 'processing:' .. queue .. ':' .. worker

-- The lanes that may give something, in the order of their turns. A lane at its bound keeps its turn.
local turns, seen, chunk = {}, 0, nil
repeat
  chunk = call('ZRANGE', lanes, seen, seen + 63)
  seen = seen + #chunk
  for _, lane in ipairs(chunk) do
    local taken = (per_lane > 0 or whole_lanes) and tonumber(call('HGET', leased, lane)) or 0
    local room = per_lane > 0 and per_lane - taken or math.huge
    if whole_lanes and taken > 0 then room = 0 end
    if room > 0 then
      local left = math.min(room, call('LLEN', P .. 'ready:' .. queue .. ':' .. lane))
      turns[#turns + 1] = { lane = lane, left = left }
    end
  end
until #turns >= max or #chunk < 64
if #turns == 0 then return {} end

-- A worker that did not announce itself is watched as well, or its jobs could never come back.
if not call('ZSCORE', P .. 'workers', worker) then believe(worker, UNANNOUNCED_TTL) end

local epoch = string.format('%.0f', next_number())
local jobs, ids, taken_of, turn = { epoch }, {}, {}, 0
while turn < #turns and #ids < max and bytes > 0 do
  turn = turn + 1
  local lane, left = turns[turn].lane, turns[turn].left - 1
  local id = call('LPOP', P .. 'ready:' .. queue .. ':' .. lane)
  local head = id and call('HMGET', P .. 'job:' .. id, 't', 'e', 'n', 'x', 'c', 'f')
  if head and head[1] then
    call('HSET', P .. 'job:' .. id, 'w', worker, 'p', epoch)
    ids[#ids + 1] = id
    taken_of[lane] = (taken_of[lane] or 0) + 1
    -- A payload that is gone (someone else deleted it) is handed out empty: the worker buries it, visibly.
    local payload = call('GET', P .. 'body:' .. id) or ''
    for _, field in ipairs({ id, head[1], head[2] or '', lane }) do jobs[#jobs + 1] = field end
    for i = 3, 6 do jobs[#jobs + 1] = head[i] or '0' end
    jobs[#jobs + 1] = payload
    bytes = bytes - #payload
  end
  if left > 0 then turns[#turns + 1] = { lane = lane, left = left } end
end

call_with('RPUSH', processing, ids)
for lane, taken in pairs(taken_of) do call('HINCRBY', leased, lane, taken) end

-- Those that were served go to the end of the rotation, in the order of their last turn.
local served, order = {}, {}
for i = turn, 1, -1 do
  local lane = turns[i].lane
  if not served[lane] then
    served[lane] = true
    table.insert(order, 1, lane)
  end
end
for _, lane in ipairs(order) do
  if call('EXISTS', P .. 'ready:' .. queue .. ':' .. lane) == 1 then
    call('ZADD', lanes, next_number(), lane)
  else
    call('ZREM', lanes, lane)
  end
end

if turn < #turns or #chunk == 64 then stirred[queue] = true end
finish()
return jobs
