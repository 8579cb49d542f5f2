"""What a key lets a request ask for: which models, and how much quality may count."""

from __future__ import annotations

from dataclasses import replace

from emafusion.domain.model import Candidate, Objective
from emafusion.gateway.admission_refusal import NotAllowed
from emafusion.gateway.names import PROFILES, named_candidate
from emafusion.store.keys.key import Key


def allowed(key: Key, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The candidates that a key may use, by name or by what their provider calls them."""
    if not key.models:
        return candidates
    return tuple(c for c in candidates if c.name in key.models or c.remote_name in key.models)


def check_model(key: Key, candidate: Candidate) -> None:
    """Raise `NotAllowed` for a model that the key may not use."""
    if not allowed(key, (candidate,)):
        what = f"this gateway key may not use '{candidate.name}'; it may use"
        raise NotAllowed(f"{what} {', '.join(key.models)}", where="model")


def scoped(
    objective: Objective, key: Key, *, requested: str, candidates: tuple[Candidate, ...]
) -> Objective:
    """The objective of a request, with no more models than its key may use.

    A key with a budget uses no model of unknown price: its budget could not be held. Raises
    `NotAllowed`, or `UnknownModel` for a name that is not in the pool.
    """
    named = named_candidate(requested, candidates)
    if named is not None:
        check_model(key, named)
        _check_priced(key, named)
    usable = allowed(key, candidates)
    if key.budgets:
        usable = tuple(c for c in usable if c.model.price is not None)
    if len(usable) == len(candidates):
        return objective
    names = frozenset(candidate.name for candidate in usable)
    if objective.candidates:
        names &= objective.candidates
    if not names:
        raise NotAllowed("this gateway key may use none of the models asked for", where="models")
    return replace(objective, candidates=names)


def within(objective: Objective, key: Key) -> Objective:
    """The objective, with a quality_weight that the key allows.

    A key that narrows the weight does away with an answer's value, which would go past it.

    >>> key = Key(id="k", name="n", highest_weight=0.6)
    >>> within(Objective(quality_weight=0.9), key).quality_weight
    0.6
    """
    if not key.has_weights:
        return objective
    weight = min(max(objective.quality_weight, key.lowest_weight), key.highest_weight)
    if weight == objective.quality_weight and objective.answer_value_usd is None:
        return objective
    return replace(objective, quality_weight=weight, answer_value_usd=None)


def notice(asked: float | None, requested: str, key: Key) -> str | None:
    """What to tell a client whose quality_weight the key does not allow; None where it does.

    `asked`: what the request says, None where it says nothing.

    >>> notice(0.9, "auto", Key(id="k", name="n", highest_weight=0.6))
    'quality_weight 0.9 is not allowed to this key: 0.6 was taken'
    """
    weight = PROFILES.get(requested, asked)
    if weight is None or key.lowest_weight <= weight <= key.highest_weight:
        return None
    taken = min(max(weight, key.lowest_weight), key.highest_weight)
    return f"quality_weight {weight:g} is not allowed to this key: {taken:g} was taken"


def _check_priced(key: Key, candidate: Candidate) -> None:
    if key.budgets and candidate.model.price is None:
        what = f"the price of '{candidate.name}' is unknown, so the key's budget cannot be held"
        raise NotAllowed(what, where="model")
