"""Modes of the policy in one visible table: name -> how it is made.

To add one: its file in `policy/`, a row here, its name in `config.tree.PolicyMode`, a line in the
docs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emafusion.domain.features import Floats
from emafusion.domain.ports import Policy
from emafusion.policy.agreement import AgreementPolicy
from emafusion.policy.chain import chain_of
from emafusion.policy.explore import ExplorePolicy
from emafusion.policy.gain import GainPolicy
from emafusion.policy.induction import InductionPolicy
from emafusion.policy.paper import PaperPolicy
from emafusion.policy.threshold import ThresholdPolicy

AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """What modes are made from.

    `gain`: the gain rule of this pool; `explore`: share of queries that try another first
    candidate; `names`, `quality`, `cost_usd`: the pool with its means over typical queries,
    float64[n].
    """

    gain: GainPolicy
    explore: float
    names: tuple[str, ...]
    quality: Floats
    cost_usd: Floats


def mode_of(wanted: str, *, is_learned: bool) -> str:
    """The mode that decides: agreement where nothing at all says how sure an answer is.

    `is_learned`: whether an artifact speaks, of whatever labels. Without labels its levels are
    off, and yet the gain rule is ahead of agreement by it (see `design/flow.md`).
    """
    if wanted != AUTO:
        return wanted
    return "gain" if is_learned else "agreement"


def policy_of(mode: str, ground: Ground) -> Policy:
    """The policy of a mode."""
    return MODES[mode](ground)


def _gain(ground: Ground) -> Policy:
    return ExplorePolicy(inner=ground.gain, epsilon=ground.explore)


def _agreement(ground: Ground) -> Policy:
    agreement = AgreementPolicy(dial=ground.gain.dial, vote=ground.gain.vote)
    return ExplorePolicy(inner=agreement, epsilon=ground.explore)


def _induction(ground: Ground) -> Policy:
    return ExplorePolicy(inner=InductionPolicy(gain=ground.gain), epsilon=ground.explore)


def _threshold(ground: Ground) -> Policy:
    return ThresholdPolicy(chain=chain_of(ground.names, ground.quality, ground.cost_usd))


def _paper(_ground: Ground) -> Policy:
    return PaperPolicy()


MODES: Mapping[str, Callable[[Ground], Policy]] = {
    "gain": _gain,
    "agreement": _agreement,
    "induction": _induction,
    "threshold": _threshold,
    "paper": _paper,
}
"""Every mode but `auto`."""
