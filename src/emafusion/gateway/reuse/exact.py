"""The cache: an answer is given again to the same request of the same key."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from emafusion.domain.model import Objective
from emafusion.domain.outcome import Outcome
from emafusion.domain.ports import Encoder
from emafusion.domain.query import Query
from emafusion.gateway.reuse.fingerprint import Fingerprint, fingerprint, frame
from emafusion.gateway.reuse.kept import Kept, kept_from, to_bytes, worth_keeping
from emafusion.gateway.reuse.shelf import Shelf
from emafusion.gateway.reuse.similar import Alike, Similar, comparable
from emafusion.gateway.reuse.together import Together
from emafusion.store.answers.ports import Entry

HIT, MISS = ("x-emafusion-cache", "hit"), ("x-emafusion-cache", "miss")
"""Headers that say whether an answer was given before."""


@dataclass(slots=True, kw_only=True, eq=False)
class Cache:
    """Answers that were given, none older than `ttl_s` seconds, `max_bytes` of them at most.

    `together`: shares them with other processes; None where there are none. What is alike is found
    among the answers of this process alone.

    `similarity`: where set, 0..1, a request of one plain message is also given the answer to one
    that is so alike (see `reuse.similar`). `now`: seconds on a clock that never goes back.
    """

    ttl_s: float
    max_bytes: int
    similarity: float | None = None
    together: Together | None = None
    now: Callable[[], float] = time.monotonic
    hits: int = 0
    misses: int = 0
    _shelf: Shelf[Fingerprint, Kept] = field(init=False)
    _similar: Similar | None = field(init=False)

    def __post_init__(self) -> None:
        """Start empty."""
        self._shelf = Shelf(ttl_s=self.ttl_s, max_bytes=self.max_bytes, size=_size)
        self._similar = None if self.similarity is None else Similar(least=self.similarity)

    async def find(
        self, query: Query, objective: Objective, owner: str | None, *, encoder: Encoder
    ) -> Kept | None:
        """The answer to give again; None where there is none. `owner`: id of the key."""
        now, key = self.now(), fingerprint(query, objective, owner)
        kept = self._shelf.get(key, now)
        if kept is None and self.together is not None:
            kept = kept_from(await self.together.find(_name(key)))
            if kept is not None:
                self._shelf.put(key, kept, now)
        if kept is None and self._similar is not None and comparable(query):
            like = self._similar.nearest(_alike(query, objective, owner, encoder=encoder))
            kept = None if like is None else self._shelf.get(like, now)
        if kept is None:
            self.misses += 1
        else:
            self.hits += 1
        return kept

    def keep(
        self, outcome: Outcome, objective: Objective, owner: str | None, *, encoder: Encoder
    ) -> None:
        """Keep an answer, if it is worth it."""
        kept, query = worth_keeping(outcome), outcome.query
        if kept is None:
            return
        key = fingerprint(query, objective, owner)
        self._shelf.put(key, kept, self.now())
        if self.together is not None:
            entry = Entry(request=b"", worker="", value=to_bytes(kept))
            self.together.keep_soon(_name(key), entry, lasts_s=self.ttl_s)
        if self._similar is not None and comparable(query):
            self._similar.add(key, _alike(query, objective, owner, encoder=encoder))


def _alike(query: Query, objective: Objective, owner: str | None, *, encoder: Encoder) -> Alike:
    around = frame(query, objective, owner)
    return Alike(frame=around, text=query.prompt, features=encoder.encode(query))


def _name(key: Fingerprint) -> bytes:
    """What the answer is called where others find it."""
    return blake2b(b"cache" + key, digest_size=16).digest()


def _size(kept: Kept) -> int:
    return kept.size
