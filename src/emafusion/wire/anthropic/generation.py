"""Generations of Claude: what their API takes differs by version, which is in the name."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"claude\D*?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a model's API takes.

    `sampling`: temperature or top_p. `adaptive`: it thinks as much as it finds right, steered by
    an effort, instead of a budget of tokens. `extra_effort`: the levels `xhigh` is among.
    """

    sampling: bool = True
    adaptive: bool = False
    extra_effort: bool = False


def generation_of(name: str, /) -> Generation:
    """Read the generation from a model's name; other models behind this API count as old.

    Since 4.6 thinking is adaptive, since 4.7 temperature and top_p are refused.

    >>> generation_of("claude-haiku-4-5-20251001").sampling
    True
    >>> generation_of("claude-opus-5-5").adaptive
    True
    """
    if "mythos" in name or "fable" in name:
        return Generation(sampling=False, adaptive=True, extra_effort=True)
    found = _VERSION.search(name)
    if found is None:
        return Generation()
    version = (int(found.group(1)), int(found.group(2) or 0))
    return Generation(
        sampling=version < (4, 7), adaptive=version >= (4, 6), extra_effort=version >= (4, 7)
    )
