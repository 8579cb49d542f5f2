"""Answers in Valkey, for all replicas, within a size of their own.

    {emafusion}a/NAME   hash of what stands under a name: r request, w worker, v value
    {emafusion}a-ends   sorted set of names with a value, by when it is forgotten (ms)
    {emafusion}a-sizes  hash: name -> bytes of its value
    {emafusion}a-bytes  bytes of all values

The size is held here and not left to the server, which may have been told to forget nothing.
"""

from __future__ import annotations

from typing import Final, cast

from valkey.asyncio import Valkey
from valkey.commands.core import AsyncScript

from emafusion.store.answers.ports import Entry
from emafusion.store.valkey.link import GONE, valkey_error

_FIND: Final = "return redis.call('HGET', '{emafusion}a/' .. ARGV[1], 'v')"
_KEEP: Final = """
local ends, sizes, bytes = '{emafusion}a-ends', '{emafusion}a-sizes', '{emafusion}a-bytes'
local name, request, worker, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local lasts, most = tonumber(ARGV[5]), tonumber(ARGV[6])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function forget(each)
    local size = redis.call('HGET', sizes, each)
    if size then
        redis.call('DECRBY', bytes, size)
        redis.call('HDEL', sizes, each)
    end
    redis.call('ZREM', ends, each)
    redis.call('DEL', '{emafusion}a/' .. each)
end

for _, each in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do
    forget(each)
end
forget(name)
if #value > most then
    return 0
end
redis.call('HSET', '{emafusion}a/' .. name, 'r', request, 'w', worker, 'v', value)
redis.call('PEXPIRE', '{emafusion}a/' .. name, lasts)
redis.call('ZADD', ends, now + lasts, name)
redis.call('HSET', sizes, name, #value)
local all = redis.call('INCRBY', bytes, #value)
while all > most do
    local first = redis.call('ZRANGE', ends, 0, 0)
    if #first == 0 then
        break
    end
    forget(first[1])
    all = tonumber(redis.call('GET', bytes))
end
return 1
"""
_CLAIM: Final = """
local key = '{emafusion}a/' .. ARGV[1]
if redis.call('EXISTS', key) == 1 then
    return redis.call('HMGET', key, 'r', 'w', 'v')
end
redis.call('HSET', key, 'r', ARGV[2], 'w', ARGV[3])
redis.call('PEXPIRE', key, ARGV[4])
return {ARGV[2], ARGV[3], false}
"""
_OURS: Final = """
local key = '{emafusion}a/' .. ARGV[1]
if redis.call('HGET', key, 'w') ~= ARGV[2] or redis.call('HEXISTS', key, 'v') == 1 then
    return 0
end
"""
_HOLD: Final = f"{_OURS}return redis.call('PEXPIRE', key, ARGV[3])"
_FREE: Final = f"{_OURS}return redis.call('DEL', key)"


class ValkeyAnswers:
    """`Answers` in Valkey; values of `max_bytes` together."""

    def __init__(self, client: Valkey, *, max_bytes: int) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._find = client.register_script(_FIND)
        self._keep = client.register_script(_KEEP)
        self._claim = client.register_script(_CLAIM)
        self._hold = client.register_script(_HOLD)
        self._free = client.register_script(_FREE)

    async def find(self, name: bytes, /) -> bytes | None:
        """The value under a name."""
        return cast("bytes | None", await _ask(self._find, name))

    async def keep(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> None:
        """Put a value under a name."""
        value = entry.value or b""
        bounds = (_ms(lasts_s), self._max_bytes)
        await _ask(self._keep, name, entry.request, entry.worker, value, *bounds)

    async def claim(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> Entry:
        """What stands under a name, else this claim."""
        answer = await _ask(self._claim, name, entry.request, entry.worker, _ms(lasts_s))
        request, worker, value = cast("tuple[bytes, bytes, bytes | None]", answer)
        return Entry(request=request, worker=worker.decode(), value=value)

    async def hold(self, name: bytes, worker: str, /, *, lasts_s: float) -> bool:
        """Let a claim stand for longer."""
        return await _ask(self._hold, name, worker, _ms(lasts_s)) == 1

    async def free(self, name: bytes, worker: str, /) -> None:
        """End a claim."""
        await _ask(self._free, name, worker)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose(close_connection_pool=True)


async def _ask(script: AsyncScript, name: bytes, *args: str | bytes | int) -> object:
    """Run a script on one name. Raises `StoreError`."""
    key = name.hex()
    try:
        return cast("object", await script(keys=[f"{{emafusion}}a/{key}"], args=(key, *args)))
    except GONE as error:
        raise valkey_error(error, doing="share answers") from None


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))
