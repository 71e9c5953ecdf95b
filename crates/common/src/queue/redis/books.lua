-- ARGV: now. Answers `tenant:name`, count, … as text; the name `open` is the number of ledger lines.
local books = call('HGETALL', P .. 'books')
for i = 1, #books, 2 do
  local tenant = string.match(books[i], '^(.*):received$')
  if tenant then
    books[#books + 1] = tenant .. ':open'
    books[#books + 1] = tostring(call('HLEN', P .. 'ledger:' .. tenant))
  end
end
return books
