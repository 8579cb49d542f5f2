"""The plain mean of judges: what a cascade without calibration goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emafusion.domain.evidence import Case


@dataclass(frozen=True, slots=True)
class MeanPanel:
    """Mean of what the judges say of an answer and of its model's predicted quality.

    Implements `Panel`. A judge that abstains does not count.
    """

    def confidences(self, qualities: Sequence[float], case: Case, /) -> tuple[float | None, ...]:
        """Each attempt's mean, None where it failed."""
        said: list[list[float]] = [[quality] for quality in qualities]
        for judgement in case.evidence.judgements:
            if judgement.value is not None:
                said[judgement.attempt].append(judgement.value)
        pairs = zip(said, case.evidence.attempts, strict=True)
        return tuple(sum(s) / len(s) if a.reply is not None else None for s, a in pairs)
