"""Whom two artifacts would ask first, on the same typical queries and the same pool."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from msgspec import Struct

from emafusion.build.opening import today_catalog
from emafusion.build.parts import Learned, build_parts, learned_from
from emafusion.catalog import Catalog, cost_usd
from emafusion.config import Config
from emafusion.config.tree import JudgesSection, PolicySection
from emafusion.domain.errors import BadInput
from emafusion.domain.evidence import CallStep, Evidence, Situation
from emafusion.domain.features import Features
from emafusion.domain.model import Candidate, Model, Objective
from emafusion.estimate.estimator import HybridEstimator
from emafusion.store.artifact import Artifact

QUALITY_WEIGHT = 0.5


class Move(Struct, frozen=True, kw_only=True):
    """How many queries go from one model to another."""

    before: str
    after: str
    queries: int


class Decisions(Struct, frozen=True, kw_only=True):
    """Queries that another model is asked first.

    `queries`: reference queries of the second artifact; `moves`: the most frequent first.
    """

    queries: int
    changed: int
    quality_weight: float
    moves: tuple[Move, ...]


def decisions_compared(before: Artifact, after: Artifact, models: tuple[str, ...]) -> Decisions:
    """Plan the second artifact's reference queries with both, over a pool of these models.

    `models`: canonical names. Prices are those of the catalog; a model that has none there costs
    what its recorded answers did. Each artifact has its own dial, as it would when served.

    Raises:
        BadInput: one of them cannot be served by this version, or has no reference queries.
    """
    old, new = learned_from(before), learned_from(after)
    if not new.reference:
        raise BadInput("holds no reference queries", where="artifact")
    catalog = today_catalog()
    pool = tuple(_candidate(name, catalog) for name in models)
    pairs = Counter(
        zip(_chosen(old, new.reference, pool), _chosen(new, new.reference, pool), strict=True)
    )
    moves = tuple(
        Move(before=was, after=now, queries=count)
        for (was, now), count in pairs.most_common()
        if was != now
    )
    return Decisions(
        queries=len(new.reference),
        changed=sum(move.queries for move in moves),
        quality_weight=QUALITY_WEIGHT,
        moves=moves,
    )


def _candidate(name: str, catalog: Catalog) -> Candidate:
    """A model as the catalog knows it, by the name that the artifacts know it by."""
    known = catalog.find(name)
    model = Model(name=name, provider="unknown") if known is None else replace(known, name=name)
    return Candidate(name=name, model=model, deployment="compared", remote_name=name)


def _chosen(
    learned: Learned, queries: tuple[Features, ...], pool: tuple[Candidate, ...]
) -> list[str]:
    """Name of the model that is asked first, for each query."""
    estimator = HybridEstimator(learned.router, cost_usd, recorded_costs=True)
    parts = build_parts(
        Config(policy=PolicySection(explore_share=0.0), judges=JudgesSection(use=())),
        pool,
        learned,
        estimator=estimator,
    )
    estimates = estimator.estimate_many(queries, pool)
    plans = (
        parts.policy.plan(
            Situation(
                query_id=str(i), features=features, estimates=estimate, candidates=pool,
                judges=(), evidence=Evidence(),
                objective=Objective(quality_weight=QUALITY_WEIGHT),
            )
        )
        for i, (features, estimate) in enumerate(zip(queries, estimates, strict=True))
    )  # fmt: skip
    return [_called(plan.step) for plan in plans]


def _called(step: object) -> str:
    return step.candidate if isinstance(step, CallStep) else "nobody"
