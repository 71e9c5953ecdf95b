-- ARGV: now, version, document. Keeps the newest.
local config = P .. 'config'
local present = tonumber(call('HGET', config, 'version'))
if not present or tonumber(ARGV[2]) >= present then
  call('HSET', config, 'version', ARGV[2], 'document', ARGV[3])
end
return 1
