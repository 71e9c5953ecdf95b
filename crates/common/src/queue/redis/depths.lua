-- ARGV: now. Answers ready, held, leased, waiting, dead for each queue.
local depths = {}
for _, queue in ipairs(QUEUES) do
  local ready, leased = 0, 0
  for _, lanes in ipairs({ 'lanes:', 'paused:' }) do
    for _, lane in ipairs(call('ZRANGE', P .. lanes .. queue, 0, -1)) do
      ready = ready + call('LLEN', P .. 'ready:' .. queue .. ':' .. lane)
    end
  end
  for _, count in ipairs(call('HVALS', P .. 'leased:' .. queue)) do leased = leased + tonumber(count) end
  local held, waiting = call('ZCARD', P .. 'held:' .. queue), call('ZCARD', P .. 'retry:' .. queue)
  for _, depth in ipairs({ ready, held, leased, waiting, call('LLEN', P .. 'dead:' .. queue) }) do
    depths[#depths + 1] = depth
  end
end
return depths
