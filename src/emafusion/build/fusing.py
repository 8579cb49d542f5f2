"""Who writes one answer of several and who compares it, and the policies that let them."""

from __future__ import annotations

import math

from emafusion.build.readers import better_half, cheapest_first
from emafusion.catalog import cost_usd
from emafusion.config import FusionSection
from emafusion.domain.attempt import Usage
from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Policy
from emafusion.flow.fusing import Fusing
from emafusion.judge.comparing import LLMComparer
from emafusion.judge.writer import MergeWriter
from emafusion.policy.dial import Dial
from emafusion.policy.fusion import FusionPolicy
from emafusion.policy.samples import SamplesPolicy

READING = Usage(prompt_tokens=1_500, completion_tokens=5)
"""What one comparison is expected to take."""


def fusing_of(candidates: tuple[Candidate, ...], quality: Floats) -> Fusing | None:
    """Compared by the cheapest of the better half, of another family than who answered.

    `quality`: float64[n], mean predicted quality. None where no language model could compare.
    """
    readers = cheapest_first(better_half(candidates, quality), _fee_usd)
    if not readers:
        return None
    ordered = tuple(reader for _, reader in readers)
    return Fusing(writer=MergeWriter(), comparer=LLMComparer(readers=ordered))


def with_writing(policy: Policy, dial: Dial, section: FusionSection) -> Policy:
    """The policy, which may also have one answer written of several where the config allows it."""
    return FusionPolicy(inner=policy, dial=dial) if section.write else policy


def fusion_of(policy: Policy, dial: Dial, section: FusionSection) -> Policy:
    """What decides where fusion is asked for by name."""
    return FusionPolicy(inner=policy, dial=dial, count=section.answers, votes=True, is_free=True)


def with_samples(policy: Policy, most: int) -> Policy:
    """The policy, which may ask a model several times where the config allows it."""
    return SamplesPolicy(inner=policy, most=most) if most > 1 else policy


def _fee_usd(reader: Candidate) -> float:
    """Where a price is not known it is the last to be asked, not left out."""
    fee = cost_usd(READING, reader.model.price)
    return math.inf if fee is None else fee
