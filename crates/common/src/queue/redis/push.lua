-- ARGV: now; then the jobs. Answers QUEUED or DUPLICATE for each.
local answers, i = {}, 2
while i <= #ARGV do
  answers[#answers + 1] = push(i)
  i = behind_job(i)
end
finish()
return answers
