-- ARGV: now, key, how much, milliseconds. Answers the sum.
local name, ttl = P .. 'sum:' .. ARGV[2], math.max(tonumber(ARGV[4]), 1)
local last, sum, ends_at = call('GET', name), 0, now + ttl
if last then
  local ends, number = string.match(last, '^(%d+) (%d+)$')
  if tonumber(ends) > now then sum, ends_at = tonumber(number), tonumber(ends) end
end
sum = math.max(sum + tonumber(ARGV[3]), 0)
call('SET', name, string.format('%.0f %.0f', ends_at, sum), 'PX', math.ceil(ends_at - now))
return sum
