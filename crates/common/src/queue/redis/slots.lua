-- ARGV: now; then for each rate limit its key, slots per minute, burst, reserve and how many are wanted. Answers 0 when
-- they were taken, else the milliseconds until all are free.
-- The generic cell rate algorithm: the key holds the time at which the bucket will be full again.
-- A bucket that is full needs no key. The clocks of processes differ, so the key stays for 10 s more.
local function remember(name, at)
  if at > now then call('SET', name, string.format('%.3f', at), 'PX', math.ceil(at - now) + 10000) end
end
local wait, taken = 0, {}
for i = 2, #ARGV, 5 do
  local name, each = P .. 'slot:' .. ARGV[i], 60000 / tonumber(ARGV[i + 1])
  local ahead_max = each * tonumber(ARGV[i + 2])
  local full_at = math.max(tonumber(call('GET', name)) or now, now)
  -- Farther ahead than an empty bucket needs: the clock jumped back.
  if full_at > now + ahead_max then
    full_at = now + ahead_max
    remember(name, full_at)
  end
  local taking = each * tonumber(ARGV[i + 4])
  wait = math.max(wait, full_at + taking + each * tonumber(ARGV[i + 3]) - now - ahead_max)
  taken[#taken + 1] = { name = name, at = full_at + taking }
end
-- The sum of up to 60,000 fractions of a millisecond is not exact.
if wait > 0.01 then return math.ceil(wait) end
for _, slot in ipairs(taken) do remember(slot.name, slot.at) end
return 0
