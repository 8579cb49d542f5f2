"""Model names that a client may send: the router's own, its profiles, and the pool's."""

from __future__ import annotations

import difflib
from dataclasses import replace

from emafusion.domain.errors import UnknownModel
from emafusion.domain.model import Candidate, Objective

ROUTED = ("auto", "emafusion", "emafusion/auto")
PROFILES = {"emafusion/eco": 0.15, "emafusion/balanced": 0.5, "emafusion/premium": 0.9}
"""Profiles are names for a `quality_weight`, for clients that can only set a model."""

FUSION = "emafusion/fusion"
"""Asks several models at once, for what they make together."""

OWN = (*ROUTED, *PROFILES, FUSION)
"""Every name that leaves the choice of models to us."""


def objective_for(requested: str, objective: Objective) -> Objective:
    """The objective of a query, with the profile's weight where a profile was asked for.

    >>> objective_for("emafusion/eco", Objective()).quality_weight
    0.15
    """
    weight = PROFILES.get(requested)
    return objective if weight is None else replace(objective, quality_weight=weight)


def named_candidate(requested: str, candidates: tuple[Candidate, ...]) -> Candidate | None:
    """The candidate that a client named; None where it leaves the choice to us.

    Raises `UnknownModel`, with the nearest name, for any other name.
    """
    if requested in OWN:
        return None
    named = next((c for c in candidates if c.name == requested), None)
    named = named or next((c for c in candidates if c.remote_name == requested), None)
    if named is None:
        raise UnknownModel(_no_such(requested, candidates), where="model")
    return named


def _no_such(requested: str, candidates: tuple[Candidate, ...]) -> str:
    names = [name for candidate in candidates for name in (candidate.name, candidate.remote_name)]
    near = difflib.get_close_matches(requested, [*OWN, *names], n=1)
    hint = f"did you mean '{near[0]}'?" if near else "GET /v1/models lists what there is"
    shown = "".join(c if c.isprintable() else "?" for c in requested[:80])
    return f"there is no model '{shown}' here; {hint}"
