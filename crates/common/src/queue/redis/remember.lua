-- ARGV: now, key, value, milliseconds.
local ttl = tonumber(ARGV[4])
if ttl > 0 then
  call('SET', P .. 'note:' .. ARGV[2], string.format('%.0f ', now + ttl) .. ARGV[3], 'PX', ttl)
else
  call('DEL', P .. 'note:' .. ARGV[2])
end
