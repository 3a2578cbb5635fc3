-- Books the earliest free turn of an account, by the clock of this server.
--
-- KEYS: when the platform is open again; the processes seen; then of each term
-- the turns, scored by their times. ARGV: the turn's name; a turn that it
-- replaces, or ""; the process; how long it counts as seen; the longest wait,
-- -1 for any; then of each term its number and its window. All times are in
-- microseconds, which a double holds exactly; as text they must be written out,
-- because Lua would round them.
--
-- Redis 5 and later replicate what a script did, so that it may look at the
-- clock before it writes.
--
-- A turn at s takes up [s, s + window), and at no moment do more turns overlap
-- than the term's number: all the turns of a window overlap at its end, so no
-- window holds more. A moment at which the number is reached is full, and a new
-- turn must not touch it. In order of time, turn i and the number-1 turns before
-- it make [time of i, time of i-number+1 + window) full.

local function text(x) return string.format('%.0f', x) end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local name, instead, process = ARGV[1], ARGV[2], ARGV[3]
local period, within = tonumber(ARGV[4]), tonumber(ARGV[5])

-- earliest is the first moment from `from` on at which a turn may begin. Of the
-- full stretches that began in the past only the last counts: it ends last. So
-- no more is read than the turns to come, one for each waiting process.
local function earliest(key, number, window, from)
	local count = redis.call('ZCARD', key)
	local past = count - redis.call('ZCOUNT', key, '(' .. text(now), '+inf')
	local first = math.max(past, number) - 1
	if first > count - 1 then return from end
	local begins = redis.call('ZRANGE', key, first, count - 1, 'WITHSCORES')
	local oldest = redis.call('ZRANGE', key, first - number + 1, count - number, 'WITHSCORES')
	for i = 2, #begins, 2 do
		local full, free = tonumber(begins[i]), tonumber(oldest[i]) + window
		if full >= from + window then break end
		if free > full and free > from then from = free end
	end
	return from
end

local terms = {}
for i = 3, #KEYS do
	local at = 2 * i
	local t = {key = KEYS[i], number = tonumber(ARGV[at]), window = tonumber(ARGV[at + 1])}
	redis.call('ZREMRANGEBYSCORE', t.key, '-inf', text(now - t.window))
	if instead ~= '' then redis.call('ZREM', t.key, instead) end
	terms[#terms + 1] = t
end

local grant = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
repeat
	local before = grant
	for _, t in ipairs(terms) do grant = earliest(t.key, t.number, t.window, grant) end
until grant == before

local booked = within < 0 or grant - now <= within
if booked then
	for _, t in ipairs(terms) do
		redis.call('ZADD', t.key, text(grant), name)
		local last = redis.call('ZRANGE', t.key, -1, -1, 'WITHSCORES')
		redis.call('PEXPIRE', t.key, text(math.ceil((tonumber(last[2]) + t.window - now) / 1000)))
	end
end

redis.call('ZADD', KEYS[2], text(now), process)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - period))
redis.call('PEXPIRE', KEYS[2], text(math.ceil(period / 1000)))
return {booked and 1 or 0, grant - now, redis.call('ZCARD', KEYS[2])}
