"""Who may call: keys of the environment, and keys that were made with limits of their own.

Nothing of a key is kept but its digest. A key that was made is looked up in the key store twice a
second at most, so that whoever is revoked is out within a second, in every process; what is unknown
and does not even look like a key of ours asks no database.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.domain.errors import Denied, Unready
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import KeyStore
from emafusion.store.keys.secret import PREFIX, digest_of, is_secret

FRESH_S = 0.5
"""Seconds that what the key store said of a key holds."""

STALE_S = 300.0
"""Seconds that it holds where the key store cannot be asked: its trouble locks out nobody known."""

MOST_KNOWN = 10_000
"""Keys remembered, unknown ones too; the oldest are forgotten first."""

MISSING = "missing or wrong gateway key: send it as 'Authorization: Bearer KEY'"


class Unsure(Struct, frozen=True):
    """A key that looks like one of ours and must be looked up, by its digest."""

    digest: bytes


class _Seen(Struct, frozen=True):
    key: Key | None
    at_s: float


@dataclass(slots=True, kw_only=True, eq=False)
class Keys:
    """The keys that are let in.

    `fixed`: those of the environment, by digest. `store`: where keys that were made are.
    `required`: whether a request without a key is refused. `clock`: Unix seconds.

    >>> keys = make_keys(["secret"])
    >>> keys.check({"authorization": "Bearer secret"}) == keys.check({"x-api-key": "secret"})
    True
    """

    fixed: tuple[tuple[bytes, Key], ...] = ()
    store: KeyStore | None = None
    required: bool = False
    clock: Callable[[], float] = time.time
    _seen: dict[bytes, _Seen] = field(default_factory=dict[bytes, _Seen], init=False)
    _asked: dict[bytes, asyncio.Task[Key | None]] = field(
        default_factory=dict[bytes, "asyncio.Task[Key | None]"], init=False
    )

    def check(self, headers: Mapping[str, str]) -> Key | Unsure | None:
        """The key that a request came with; None where it has none and needs none.

        Both `Authorization: Bearer` and `x-api-key` are taken. Raises `Denied`. What is `Unsure`
        is for `look_up` to decide.
        """
        if not self.required and self.store is None:
            return None
        presented = _presented(headers)
        if not self.required and not self.fixed and not presented.startswith(PREFIX):
            return None
        digest = digest_of(presented)
        key = self._fixed(digest)
        if key is None and self.store is not None and presented.startswith(PREFIX):
            return self._made(presented, digest)
        if key is None and self.required:
            raise Denied(MISSING)
        return key

    async def look_up(self, unsure: Unsure) -> Key:
        """Ask the key store for a key. Raises `Denied`, or `Unready` where it cannot be asked."""
        digest = unsure.digest
        task = self._asked.get(digest)
        if task is None:  # however many requests wait for it, it is asked once
            task = asyncio.ensure_future(self._find(digest))
            self._asked[digest] = task
            task.add_done_callback(lambda _: self._asked.pop(digest, None))
        return self._let_in(await asyncio.shield(task))

    def _fixed(self, digest: bytes) -> Key | None:
        """The key of the environment with this digest; all are compared, always."""
        found = None
        for known, key in self.fixed:
            if hmac.compare_digest(digest, known):
                found = key
        return found

    def _made(self, presented: str, digest: bytes) -> Key | Unsure:
        seen = self._seen.get(digest)
        if seen is not None and self.clock() - seen.at_s <= FRESH_S:
            return self._let_in(seen.key)
        if seen is None and not is_secret(presented):
            raise Denied("this is no whole gateway key: its checksum is wrong, so it was mistyped")
        return Unsure(digest)

    def _let_in(self, key: Key | None) -> Key:
        if key is None:
            raise Denied(MISSING)
        fault = key.fault(self.clock())
        if fault is not None:
            raise Denied(f"this gateway key {fault}")
        return key

    async def _find(self, digest: bytes) -> Key | None:
        now_s, store = self.clock(), self.store
        try:
            key = None if store is None else await store.find(digest, now_s=now_s)
        except Unready as error:
            seen = self._seen.get(digest)
            if seen is None or now_s - seen.at_s > STALE_S:
                raise Unready("gateway keys cannot be read at the moment; try again") from error
            return seen.key
        self._seen.pop(digest, None)  # what is put in anew is the newest
        self._seen[digest] = _Seen(key, now_s)
        if len(self._seen) > MOST_KNOWN:
            del self._seen[next(iter(self._seen))]
        return key


def make_keys(
    keys: Iterable[str], *, store: KeyStore | None = None, required: bool | None = None
) -> Keys:
    """Keys from their plain texts, which are not kept, and from a key store.

    `required`: whether a key must be shown; None = if there are any of plain text.
    """
    fixed = tuple((digest, _unlimited(digest)) for digest in map(digest_of, keys))
    return Keys(fixed=fixed, store=store, required=bool(fixed) if required is None else required)


def _unlimited(digest: bytes) -> Key:
    """A key of the environment: without a name or limits, known by the beginning of its digest."""
    name = digest.hex()[:12]
    return Key(id=name, name=name, is_counted=False)


def _presented(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()
