-- One request for each of KEYS keys, one after the other from behind FIRST, and again from the first.
local keys = tonumber(os.getenv("KEYS"))
local number = tonumber(os.getenv("FIRST"))
function request()
  number = number % keys + 1
  return wrk.format("GET", "/v1/models", { ["Authorization"] = string.format("Bearer sk-bench-%08d", number) })
end
