-- ARGV: now, key, slots per minute. Answers 0 when a slot was taken, else the milliseconds until one is free.
-- The generic cell rate algorithm: the key holds the time at which the bucket will be full again.
local name, each = P .. 'slot:' .. ARGV[2], 60000 / tonumber(ARGV[3])
local full_at = tonumber(call('GET', name)) or now
local function remember(at)
  call('SET', name, string.format('%.3f', at), 'PX', math.ceil(at - now))
end
-- Farther ahead than an empty bucket needs: the clock jumped back.
if full_at > now + 60000 then
  full_at = now + 60000
  remember(full_at)
end
full_at = math.max(full_at, now)
local wait = full_at + each - now - 60000
-- The sum of up to 60,000 fractions of a millisecond is not exact.
if wait > 0.01 then return math.ceil(wait) end
remember(full_at + each)
return 0
