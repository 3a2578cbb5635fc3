-- Takes a turn back. KEYS: of each term the turns. ARGV: the turn's name.

local had = 0
for _, key in ipairs(KEYS) do had = had + redis.call('ZREM', key, ARGV[1]) end
return {had}
