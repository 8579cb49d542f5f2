"""`replay`: what a policy would have done with recorded answers, by the code that is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from emafusion.build.parts import Learned
from emafusion.build.replay_ahead import plan_ahead
from emafusion.build.replay_choices import by_lot, by_oracle, by_table
from emafusion.build.replay_pool import Priced, pool_of, repriced
from emafusion.build.replaying import Recipe, Rehearsed, Stage, prepare, recipe_of
from emafusion.domain.command import Flow
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features, Ints
from emafusion.domain.model import Candidate, Objective, Price
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Embedding, Query
from emafusion.encode.taxonomy import AXES
from emafusion.estimate.classes import known_places
from emafusion.estimate.names import canonical
from emafusion.flow.parts import Task
from emafusion.flow.route import route
from emafusion.lab.known import Known, fitted_baselines, known_from
from emafusion.lab.meanings import Vectors, meant
from emafusion.replay.comparison import summarize
from emafusion.replay.grades import judges_of
from emafusion.replay.labelled import SlowRecords
from emafusion.replay.policies.chosen import ChosenPolicy
from emafusion.replay.records import Records, records_of
from emafusion.replay.run import Play, Run, play
from emafusion.replay.summary import Summary
from emafusion.replay.tasks import Tasks
from emafusion.store.artifact import Artifact
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl

DIAL = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.99, 1.0)
"""Settings that a report is made of: finer near 1, where a step costs most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to replay.

    `policy`: see `build.replaying.POLICIES`; `quality_weights`: settings of the dial; `models`:
    those to choose from, None for all of the table; `prices`: by model, to replay at other prices;
    `explore_share`: 0..1, as served; `recipe`: another one than the policy's own, for what a part
    is worth; `vectors`: of prompts, where the artifact reads queries by an encoder outside;
    `by_text_alone`: the data set of a query is not told to the router; `slow`: what a labeller
    said of the queries.
    """

    policy: str = "hybrid"
    quality_weights: tuple[float, ...] = DIAL
    models: tuple[str, ...] | None = None
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    seed: int = 0
    explore_share: float = 0.0
    recipe: Recipe | None = None
    vectors: Vectors = field(default_factory=dict[str, Embedding], repr=False)
    by_text_alone: bool = False
    slow: SlowRecords | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replayed:
    """What came of it: one run for each setting of the dial, over the same records.

    `strangers`: models that the artifact has no outcomes of, so that only priors speak for them;
    `fitted`: columns that the means of what was fitted on would have called, by role, int64[n];
    `classes`: by axis of the taxonomy the class of each query; `told`: queries whose data set was
    told to the router, which knows it; `effective_judges`: what the model
    judges that were measured are worth together.
    """

    records: Records
    runs: tuple[Run, ...]
    strangers: tuple[str, ...]
    fitted: Mapping[str, Ints] = field(default_factory=dict[str, Ints])
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    told: int = 0
    effective_judges: float | None = None

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Models without any recorded cost."""
        known = np.isfinite(self.records.cost_usd)
        names = enumerate(self.records.models)
        return tuple(name for k, name in names if not known[:, k].any())


def replay(
    frame: pl.DataFrame,
    artifact: Artifact | None,
    asked: Asked | None = None,
    *,
    judges: pl.DataFrame | None = None,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> Replayed:
    """Replay an outcome table by the served code.

    `artifact`: None for stated priors alone; `judges`: a judge table; `done`: told how many queries
    of how many are done. Raises `BadInput` for an empty table and for names that are none.
    """
    asked = Asked() if asked is None else asked
    recipe_of(asked.policy)
    records = records_of(frame, query_of, models=asked.models)
    known = known_from(artifact)
    if judges is not None:
        known = replace(known, judges=judges_of(judges, records))
    return replay_known(records, known, asked, done=done)


def replay_known(
    records: Records,
    known: Known,
    asked: Asked,
    *,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> Replayed:
    """The same for records that were read before, by what was learned, wherever that was."""
    records = priced(records, asked)
    stage = replace(stage_of(records, known.learned, asked), graded=known.judges)
    recipe, names = recipe_of(asked.policy)
    recipe = asked.recipe or recipe
    if recipe.rule == "chosen":
        stage = replace(stage, chosen=_chosen(asked, names, records=records, tasks=known.tasks))
    rehearsed = prepare(recipe, names, stage)
    flow_of = _flows(stage, rehearsed, asked, only=names if recipe.rule == "single" else None)
    whole = len(records.queries)
    plan = Play(
        policy=asked.policy,
        weights=asked.quality_weights,
        flow_of=flow_of,
        forget=rehearsed.forget,
        done=lambda count: done(count, whole),
        slow=asked.slow,
    )
    learned = set(known.learned.router.models)
    return Replayed(
        records=records,
        runs=play(records, plan),
        strangers=tuple(name for name in records.models if canonical(name) not in learned),
        fitted=fitted_baselines(records, known),
        classes=classes_of(stage.features),
        told=len(known_places(known.learned.router.classes, [f.dataset for f in stage.features])),
        effective_judges=_effective(known.learned),
    )


def priced(records: Records, asked: Asked) -> Records:
    """The records at the prices that are asked for."""
    if not asked.prices:
        return records
    return replace(records, cost_usd=repriced(records, asked.prices))


def summary_of(replayed: Replayed, *, seed: int = 0) -> Summary:
    """Every figure of a replay."""
    summary = summarize(
        replayed.records,
        replayed.runs,
        fitted=replayed.fitted,
        classes=replayed.classes,
        seed=seed,
    )
    return structs.replace(summary, effective_judges=replayed.effective_judges)


def classes_of(features: Sequence[Features]) -> dict[str, tuple[str, ...]]:
    """For each axis of the taxonomy the likeliest class of each query."""
    return {
        axis.name: tuple(axis.classes[int(getattr(f.labels, axis.name).argmax())] for f in features)
        for axis in AXES
    }


def stage_of(records: Records, learned: Learned, asked: Asked) -> Stage:
    """Encode every query, and make the pool."""
    return Stage(
        records=records,
        candidates=pool_of(records, Priced(prices=asked.prices, learned=_costed(learned))),
        learned=learned,
        features=tuple(map(learned.encoder.encode, _meant(records.queries, learned, asked))),
        explore_share=asked.explore_share,
        slow=asked.slow,
    )


def _effective(learned: Learned) -> float | None:
    heads = learned.panel.heads
    return None if heads is None else heads.effective


def _meant(queries: Sequence[Query], learned: Learned, asked: Asked) -> Sequence[Query]:
    """The queries as the router is told of them, with their embeddings where it reads these."""
    if asked.by_text_alone:
        queries = tuple(replace(query, dataset=None) for query in queries)
    if learned.embedding is None or any(query.embedding is not None for query in queries):
        return queries
    if not asked.vectors:
        told = f"queries are read by {learned.embedding}, whose vectors are not at hand"
        raise BadInput(told, where="artifact")
    return meant(queries, asked.vectors)


def _costed(learned: Learned) -> frozenset[str]:
    """Canonical names of the models whose costs the artifact knows."""
    router = learned.router
    pairs = zip(router.models, router.costs, strict=True)
    return frozenset(name for name, costs in pairs if np.isfinite(costs).all())


def _chosen(asked: Asked, names: str, *, records: Records, tasks: Tasks | None) -> ChosenPolicy:
    weights = asked.quality_weights
    if asked.policy == "oracle":
        return by_oracle(records, weights)
    if asked.policy == "task-table":
        return by_table(tasks, records, weights)
    return by_lot(names, records, weights, seed=asked.seed)


def _flows(
    stage: Stage, rehearsed: Rehearsed, asked: Asked, *, only: str | None
) -> Callable[[int, int], Flow[Answer]]:
    """Flows by place of the query and place of the setting."""
    objectives = [Objective(quality_weight=weight) for weight in asked.quality_weights]
    pools, queries = pools_of(stage, only), stage.records.queries
    parts = rehearsed.parts
    if asked.slow is None:  # else the first plan depends on what the labeller says
        parts = plan_ahead(parts, queries, pools, objectives=objectives)

    def flow_of(i: int, w: int) -> Flow[Answer]:
        task = Task(query=queries[i], candidates=pools[i], objective=objectives[w])
        return route(task, parts)

    return flow_of


def pools_of(stage: Stage, only: str | None = None) -> Sequence[tuple[Candidate, ...]]:
    """Candidates of each query: those with a recorded answer; equal pools are the same tuple.

    `only`: the one candidate there is to be.
    """
    kept: dict[bytes, tuple[Candidate, ...]] = {}
    pools: list[tuple[Candidate, ...]] = []
    for row in stage.records.asked:
        key = row.tobytes()
        if key not in kept:
            there = zip(stage.candidates, row.tolist(), strict=True)
            pool = tuple(c for c, is_there in there if is_there and only in {None, c.name})
            whole = len(pool) == len(stage.candidates)
            kept[key] = stage.candidates if whole else pool
        pools.append(kept[key])
    return pools
