-- ARGV: now, name, value, milliseconds.
local ttl = tonumber(ARGV[4])
if ttl > 0 then
  call('HSET', P .. 'announced', ARGV[2], string.format('%.0f ', now + ttl) .. ARGV[3])
else
  call('HDEL', P .. 'announced', ARGV[2])
end
