"""Who writes one answer of several, and what that is expected to cost."""

from __future__ import annotations

from collections.abc import Sequence

from emafusion.domain.evidence import Evidence, Situation
from emafusion.domain.model import Candidate
from emafusion.policy.options import left_usd, time_left_s

WRITTEN_WORDS = 1.2
"""Length of a written answer over that of the longest answer it is written from. Stated."""


def writer_for(situation: Situation, lam: float) -> Candidate | None:
    """The best candidate that writes, within what is left of money and time.

    `lam`: quality that a US dollar must buy, 0 where cost does not count.
    """
    budget, left_s = left_usd(situation), time_left_s(situation)
    found: list[tuple[float, float, int]] = []
    for k, candidate in enumerate(situation.candidates):
        price = cost_of_writing(situation, candidate)
        slow_s = float(situation.estimates.latency_s[k])
        too_dear = budget is not None and (price is None or price > budget)
        if candidate.model.kind == "language" and not too_dear and not slow_s > left_s:
            worth = float(situation.estimates.quality[k]) - lam * (price or 0.0)
            found.append((worth, -(price or 0.0), k))
    return situation.candidates[max(found)[2]] if found else None


def cost_of_writing(situation: Situation, writer: Candidate) -> float | None:
    """US dollars that writing one answer of all is expected to take; None where it is unknown."""
    price = writer.model.price
    if price is None or price.prompt_usd_per_mtok is None or price.completion_usd_per_mtok is None:
        return None
    lengths = _lengths(situation.evidence)
    asked = situation.features.prompt_tokens + sum(lengths)
    written = WRITTEN_WORDS * max(lengths, default=0)
    usd = asked * price.prompt_usd_per_mtok + written * price.completion_usd_per_mtok
    return usd / 1e6


def _lengths(evidence: Evidence) -> Sequence[int]:
    """Tokens of each answer; by its characters where the provider did not say."""
    lengths: list[int] = []
    for attempt in evidence.attempts:
        if attempt.reply is not None:
            usage = attempt.reply.usage
            lengths.append(
                len(attempt.reply.text) // 4 if usage is None else usage.completion_tokens
            )
    return lengths
