-- ARGV: now, key. Answers the note, or nothing.
local note = call('GET', P .. 'note:' .. ARGV[2])
if not note then return false end
local ends_at, value = string.match(note, '^(%d+) (.*)$')
if tonumber(ends_at) <= now then return false end
return value
