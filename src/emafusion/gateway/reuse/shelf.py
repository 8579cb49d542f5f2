"""Things kept for a while: so many bytes, so many seconds, the longest unused go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True, kw_only=True, eq=False)
class Shelf(Generic[K, V]):
    """Keeps values by key.

    `ttl_s`: seconds that one is kept; `max_bytes`: of all together; `size`: bytes of a value.
    `now` of every method: seconds on a clock that never goes back.

    >>> shelf = Shelf[str, str](ttl_s=10, max_bytes=5, size=len)
    >>> shelf.put("a", "long", 0.0)
    >>> shelf.put("b", "er", 1.0)
    >>> shelf.get("a", 2.0), shelf.get("b", 2.0), shelf.get("b", 11.5)
    (None, 'er', None)
    """

    ttl_s: float
    max_bytes: int
    size: Callable[[V], int]
    _kept: OrderedDict[K, tuple[float, V]] = field(default_factory=OrderedDict[K, tuple[float, V]])
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K, now: float) -> V | None:
        """The value, if it is there and not too old."""
        found = self._kept.get(key)
        if found is None:
            return None
        if now - found[0] > self.ttl_s:
            self.drop(key)
            return None
        self._kept.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V, now: float) -> None:
        """Keep a value, unless it alone is too large."""
        self.drop(key)
        if self.size(value) > self.max_bytes:
            return
        self._kept[key] = (now, value)
        self._bytes += self.size(value)
        while self._bytes > self.max_bytes:
            self.drop(next(iter(self._kept)))

    def drop(self, key: K) -> None:
        """Forget a value."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= self.size(found[1])
