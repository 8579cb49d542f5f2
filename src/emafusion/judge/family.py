"""Whether two candidates come of one family, so that they err alike and favour each other."""

from __future__ import annotations

from emafusion.domain.model import Candidate, Model

SAME_MODEL, SAME_FAMILY = 0.7, 0.9
"""Weight of a peer's vote that is the same model again, or of the same family.

Measured on recorded answers: a second sample of a model that agrees adds seven tenths of what
another model adds (reasoning_gym); a sibling adds nearly as much as a stranger (four tables).
"""


def related(a: Candidate, b: Candidate) -> bool:
    """Whether both have the same family, or, where a family is unknown, the same provider or model.

    >>> from emafusion.domain.model import Model
    >>> def of(name, family):
    ...     model = Model(name=name, provider="x", family=family)
    ...     return Candidate(name=name, model=model, deployment="d", remote_name=name)
    >>> related(of("a-1", "a"), of("b-1", "b")), related(of("a-1", "a"), of("a-2", "a"))
    (False, True)
    """
    if a.model.name == b.model.name:
        return True
    if a.model.family is not None and b.model.family is not None:
        return a.model.family == b.model.family
    return a.model.provider == b.model.provider


def vote_weight(name: str, peer: str, candidates: tuple[Candidate, ...]) -> float:
    """How much a peer's agreement counts, 0..1: less for the same model or family.

    Only families that are named count as the same: an unknown one is taken as independent.
    """
    known = {c.name: c.model for c in candidates if c.name in (name, peer)}
    return SAME_MODEL if name == peer else kinship(known.get(name), known.get(peer))


def kinship(a: Model | None, b: Model | None) -> float:
    """The same for two models, None where unknown."""
    if a is None or b is None:
        return 1.0
    if a.name == b.name:
        return SAME_MODEL
    return SAME_FAMILY if a.family is not None and a.family == b.family else 1.0
