-- ARGV: now. Answers name, value, name, value … and forgets those whose time is over.
local all, present = call('HGETALL', P .. 'announced'), {}
for i = 1, #all, 2 do
  local ends_at, value = string.match(all[i + 1], '^(%d+) (.*)$')
  if tonumber(ends_at) > now then
    present[#present + 1] = all[i]
    present[#present + 1] = value
  else
    call('HDEL', P .. 'announced', all[i])
  end
end
return present
