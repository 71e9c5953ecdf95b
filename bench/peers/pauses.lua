-- Clients that pause between requests: how long one takes while the machine has something to spare. At saturation,
-- latency tells how long the queue is.
function delay()
  return math.random(1, 9)
end
