"""What is true of the gateway at this moment, for the page of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """A moment.

    `under_way`: requests being answered; `lost`: outcomes that could not be logged; `missed`:
    those that were not counted; `resting`: model -> whether it is not called for now; `artifact`:
    digest of the one that decides, empty where there is none.
    """

    under_way: int
    lost: int
    missed: int
    resting: Mapping[str, bool]
    artifact: str
