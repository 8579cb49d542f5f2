"""Scripts that run on the server, each as one step that nobody can come between.

    {emafusion}c/NAME/START   used so far, a number
    {emafusion}h/NAME/START   hash of what is held: hold -> "amount until"
    {emafusion}o/HOLD         the places of one hold, for settling it

The braces keep all of them on one node of a cluster. Numbers travel as text of 17 digits, which is
what a float needs.
"""

from __future__ import annotations

from typing import Final

_COMMON: Final = """
local function used(place)
    return tonumber(redis.call('GET', '{emafusion}c/' .. place) or '0')
end

local function held(place, now)
    local sum, key = 0, '{emafusion}h/' .. place
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
        local amount, ends = string.match(all[i + 1], '^(%S+) (%S+)$')
        if tonumber(ends) > now then
            sum = sum + tonumber(amount)
        else
            redis.call('HDEL', key, all[i])
        end
    end
    return sum
end

local function level(charge, now)
    local u, h = used(charge.place), held(charge.place, now)
    if charge.share then
        u = u + charge.share * used(charge.before)
        h = h + charge.share * held(charge.before, now)
    end
    return u, h
end

local function said(number)
    return string.format('%.17g', number)
end

local function keep_until(key, ends, now)
    if ends then
        redis.call('PEXPIRE', key, math.max(1, math.ceil((ends - now) * 1000)))
    end
end
"""

RESERVE: Final = (
    _COMMON
    + """
local hold, charges = ARGV[1], cjson.decode(ARGV[2])
local now, ends, forget = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local answer, refused = {}, -1
for i, charge in ipairs(charges) do
    local u, h = level(charge, now)
    answer[2 * i], answer[2 * i + 1] = said(u), said(h)
    if refused < 0 and charge.most and u + h + charge.amount > charge.most * (1 + 1e-9) then
        refused = i - 1
    end
end
answer[1] = tostring(refused)
if refused < 0 then
    local owner = '{emafusion}o/' .. hold
    for _, charge in ipairs(charges) do
        local key = '{emafusion}h/' .. charge.place
        redis.call('HSET', key, hold, said(charge.amount) .. ' ' .. said(ends))
        keep_until(key, forget, now)
        redis.call('SADD', owner, charge.place)
    end
    keep_until(owner, forget, now)
end
return answer
"""
)

SETTLE: Final = (
    _COMMON
    + """
local hold, charges, now = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[3])
if hold ~= '' then
    local owner = '{emafusion}o/' .. hold
    local places = redis.call('SMEMBERS', owner)
    if #places == 0 then
        return 0
    end
    for _, place in ipairs(places) do
        redis.call('HDEL', '{emafusion}h/' .. place, hold)
    end
    redis.call('DEL', owner)
end
for _, charge in ipairs(charges) do
    local key = '{emafusion}c/' .. charge.place
    redis.call('SET', key, said(used(charge.place) + charge.amount))
    keep_until(key, charge.forget, now)
end
return 1
"""
)

LEVELS: Final = (
    _COMMON
    + """
local charges, now, answer = cjson.decode(ARGV[1]), tonumber(ARGV[2]), {}
for i, charge in ipairs(charges) do
    local u, h = level(charge, now)
    answer[2 * i - 1], answer[2 * i] = said(u), said(h)
end
return answer
"""
)
