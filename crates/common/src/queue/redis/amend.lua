-- ARGV: now, queue, job, perhaps another payload. Answers 1, or 0 when the job waits neither for its time nor for its
-- order.
local queue, id = ARGV[2], ARGV[3]
local head = call('HMGET', P .. 'job:' .. id, 'q', 'l', 'o', 'a')
if head[1] ~= queue then return 0 end
local waits = call('ZSCORE', P .. 'retry:' .. queue, id)
if not waits then
  if not head[3] then return 0 end
  local member = held_prefix(head[3]) .. string.format('%016.0f', tonumber(head[4])) .. id
  if not call('ZSCORE', P .. 'held:' .. queue, member) then return 0 end
end
if ARGV[4] then call('SET', P .. 'body:' .. id, ARGV[4]) end
call('HDEL', P .. 'job:' .. id, 'd')
if waits then
  call('ZREM', P .. 'retry:' .. queue, id)
  make_ready(queue, head[2], id)
end
finish()
return 1
