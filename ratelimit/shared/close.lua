-- Closes an account for a while, never for less than it is closed already.
-- KEYS: when it is open again. ARGV: how long it is closed, in microseconds.

local time = redis.call('TIME')
local open = time[1] * 1000000 + time[2] + ARGV[1]
if open > tonumber(redis.call('GET', KEYS[1]) or 0) then
	redis.call('SET', KEYS[1], string.format('%.0f', open), 'PX', string.format('%.0f', math.ceil(ARGV[1] / 1000)))
end
return {}
