"""What one hard check says of one reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`ok`: the asked shape is proved; `bad`: a fault is proved; `abstain`: nothing is proved."""

    outcome: Literal["ok", "bad", "abstain"]
    reason: str = ""


ABSTAIN = Verdict(outcome="abstain")

Check = Callable[[Query, Reply], Verdict]
"""A pure function that reads the first choice of a reply, bounded in time for any reply."""


def ok(reason: str) -> Verdict:
    """Say that the asked shape is proved."""
    return Verdict(outcome="ok", reason=reason)


def bad(reason: str) -> Verdict:
    """Say that a fault is proved."""
    return Verdict(outcome="bad", reason=reason)
