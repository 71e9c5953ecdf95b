-- ARGV: now, job ids. Answers how many of them were dead and are not any more.
local replayed = 0
for i = 2, #ARGV do
  local id = ARGV[i]
  local head = call('HMGET', P .. 'job:' .. id, 'b', 'q', 't', 'e', 'l', 'o', 'a')
  if head[1] then
    local queue = head[2]
    call('LREM', P .. 'dead:' .. queue, 1, id)
    call('HDEL', P .. 'job:' .. id, 'b', 'r', 'n', 'x', 'd')
    local line = line_of(queue, head[3], head[4] or '')
    if line then line.live, line.dead = line.live + 1, line.dead - 1 end
    enter(queue, head[5], head[6] or '', id, 0, tonumber(head[7]) or 0)
    replayed = replayed + 1
  end
end
finish()
return replayed
