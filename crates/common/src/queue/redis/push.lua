-- ARGV: now; then for each job its queue and JOB_FIELDS fields. Answers QUEUED or DUPLICATE for each.
local answers = {}
for i = 2, #ARGV, 1 + JOB_FIELDS do
  answers[#answers + 1] = push(ARGV[i], i + 1)
end
finish()
return answers
