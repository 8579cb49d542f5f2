"""Parts of a query that asks for several things."""

from __future__ import annotations

from msgspec import Struct

from emafusion.domain.attempt import Attempt

MOST = 6
"""Parts that a query is split into at most."""


class Piece(Struct, frozen=True, kw_only=True):
    """One part: what it asks, and the places of the earlier parts whose answers it needs.

    `mark`: what it is numbered by in the query, such as `1.`; empty where it is not.
    """

    text: str
    needs: tuple[int, ...] = ()
    mark: str = ""


class Split(Struct, frozen=True, kw_only=True):
    """A query in parts; fewer than two: it is to be answered whole. `asked`: calls made for it."""

    pieces: tuple[Piece, ...] = ()
    asked: tuple[Attempt, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there are parts, not too many, each needing earlier ones alone.

        >>> Split(pieces=(Piece(text="a"), Piece(text="b", needs=(0,)))).holds
        True
        >>> Split(pieces=(Piece(text="a", needs=(1,)), Piece(text="b"))).holds
        False
        """
        known = all(0 <= need < i for i, each in enumerate(self.pieces) for need in each.needs)
        return 2 <= len(self.pieces) <= MOST and known


WHOLE = Split()
"""Not split."""
