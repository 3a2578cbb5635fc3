-- Puts a turn off. KEYS: of each term the turns. ARGV: the turn's name; by how
-- long, in microseconds; then of each term its window.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
	local at = redis.call('ZSCORE', key, ARGV[1])
	if at then
		at = at + ARGV[2]
		redis.call('ZADD', key, string.format('%.0f', at), ARGV[1])
		local left = math.ceil((at + ARGV[2 + i] - now) / 1000)
		if redis.call('PTTL', key) < left then redis.call('PEXPIRE', key, string.format('%.0f', left)) end
	end
end
return {}
