"""A stream of deltas folded to the reply that would have come in one piece."""

from __future__ import annotations

from emafusion.domain.attempt import Delta, Reply


class Accumulator:
    """Folds deltas; `reply` gives what they amount to."""

    def add(self, delta: Delta, /) -> None:
        """Take the next delta."""
        raise NotImplementedError

    def reply(self, model: str, /) -> Reply:
        """Give the reply so far; `model` where the stream named none."""
        raise NotImplementedError
