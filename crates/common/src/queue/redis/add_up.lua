-- ARGV: now, key, how much, milliseconds. Answers the sum.
local name, by = P .. 'sum:' .. ARGV[2], tonumber(ARGV[3])
local sum, ends_at
local last = call('GET', name)
if last then
  local ends, number = string.match(last, '^(%d+) (%d+)$')
  if tonumber(ends) > now then sum, ends_at = tonumber(number), tonumber(ends) end
end
if by == 0 or (by < 0 and not sum) then return sum or 0 end
ends_at = ends_at or now + math.max(tonumber(ARGV[4]), 1)
sum = math.max((sum or 0) + by, 0)
call('SET', name, string.format('%.0f %.0f', ends_at, sum), 'PX', math.ceil(ends_at - now))
return sum
