-- ARGV: now, worker, time to live in milliseconds.
believe(ARGV[2], tonumber(ARGV[3]))
return 1
