"""Answers given again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from emafusion.config.keys import Key, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSection(Section):
    """Whether the same request gets the same answer, for nothing."""

    ttl_s: Annotated[
        float | None,
        Key("seconds that an answer may be given again to the same request", above=0, unset="off"),
    ] = None
    max_mb: Annotated[float, Key("megabytes of answers that are kept", above=0, high=65_536)] = 64.0
    similarity: Annotated[
        float | None,
        Key(
            "how alike the same words in other dress must be to get the same answer; 0.9 is sound",
            low=0.5,
            high=1,
            unset="off: only to the same request",
        ),
    ] = None


UNCACHED = CacheSection()
"""Every request is answered anew."""
