"""What Redis does for quotas, each in one atomic step by Redis' own clock.

Every instance has a field of its own per installation and is the authority for it: it says how much
it holds with every request. So a flush forgets what the others hold only until they speak next, and
the same request twice changes nothing.
"""

# KEYS: one hash a minute. ARGV: field, limit, window that ``taken`` is of, taken, wanted.
# Returns: window, granted, left, seconds, microseconds.
RATE = """
local now = redis.call('TIME')
local window = math.floor(tonumber(now[1]) / 60)
local key = KEYS[1] .. ':' .. window
local taken = 0
if tonumber(ARGV[3]) == window then taken = tonumber(ARGV[4]) end
local others = 0
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if fields[i] ~= ARGV[1] then others = others + tonumber(fields[i + 1]) end
end
local left = math.max(0, tonumber(ARGV[2]) - others - taken)
local granted = math.min(tonumber(ARGV[5]), left)
if left < 8 then granted = math.min(granted, 1)
else granted = math.min(granted, math.max(1, math.floor(left / 4))) end
if taken + granted > 0 then
  redis.call('HSET', key, ARGV[1], taken + granted)
  redis.call('EXPIRE', key, 120)
else
  redis.call('HDEL', key, ARGV[1])
end
return {window, granted, left - granted, tonumber(now[1]), tonumber(now[2])}
"""

# KEYS: one hash. ARGV: field, limit, held, wanted, milliseconds that the lease lasts.
# Returns: granted, left.
CONCURRENCY = """
local now = redis.call('TIME')
local ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local others = 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local count, expires = string.match(fields[i + 1], '(%d+):(%d+)')
  if tonumber(expires) <= ms then
    redis.call('HDEL', KEYS[1], fields[i])
  elseif fields[i] ~= ARGV[1] then
    others = others + tonumber(count)
  end
end
local held = tonumber(ARGV[3])
local left = math.max(0, tonumber(ARGV[2]) - others - held)
local granted = math.min(tonumber(ARGV[4]), left)
if left < 8 then granted = math.min(granted, 1) end
if held + granted > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], (held + granted) .. ':' .. (ms + tonumber(ARGV[5])))
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return {granted, left - granted}
"""
