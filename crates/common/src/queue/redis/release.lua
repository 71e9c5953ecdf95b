-- ARGV: now, worker, how many. Answers how many were given back; fewer than asked for: the worker is forgotten.
local worker, most, given = ARGV[2], tonumber(ARGV[3]), 0
for _, queue in ipairs(QUEUES) do
  local processing = P .. 'processing:' .. queue .. ':' .. worker
  while given < most do
    local id = call('RPOP', processing)
    if not id then break end
    local lane = call('HGET', P .. 'job:' .. id, 'l') or ''
    unlease(queue, lane)
    give_back(queue, lane, id)
    given = given + 1
  end
end
if given < most then forget(worker) end
finish()
return given
