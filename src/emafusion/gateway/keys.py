"""Gateway keys: who may call. Keys are compared by digest and in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emafusion.domain.errors import Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys that are let in; `digests` empty = everybody is.

    >>> keys = make_keys(["secret"])
    >>> keys.check({"authorization": "Bearer secret"}) == keys.check({"x-api-key": "secret"})
    True
    """

    digests: tuple[bytes, ...] = ()

    def check(self, headers: Mapping[str, str]) -> str | None:
        """Name of the key that came with a request (never the key); None where keys are off.

        Both `Authorization: Bearer` and `x-api-key` are taken. Raises `Denied`.
        """
        if not self.digests:
            return None
        digest = _digest(_presented(headers))
        if not any([hmac.compare_digest(digest, known) for known in self.digests]):  # noqa: C419 - all are compared, always
            raise Denied("missing or wrong gateway key: send it as 'Authorization: Bearer KEY'")
        return digest.hex()[:12]


def make_keys(keys: Iterable[str]) -> Keys:
    """Keys from their plain texts, which are not kept."""
    return Keys(digests=tuple(_digest(key) for key in keys))


def _presented(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
