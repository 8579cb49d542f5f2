"""How batches are worked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from emafusion.config.keys import Key, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchesSection(Section):
    """Requests that clients upload many at a time and that are answered in the background."""

    at_once: Annotated[
        int, Key("requests of all batches that are under way together", low=1, high=1000)
    ] = 4


IN_THE_BACKGROUND = BatchesSection()
"""A few at a time."""
