"""What the policy would have given to the queries that were learned from, each while held out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from emafusion.build.parts import Learned
from emafusion.build.replay_ahead import plan_ahead
from emafusion.build.replaying import Rehearsed, Stage, prepare, recipe_of
from emafusion.domain.command import Flow
from emafusion.domain.features import Floats
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer
from emafusion.domain.ports import Judge
from emafusion.flow.parts import Task
from emafusion.flow.route import route
from emafusion.judge.state import PanelState
from emafusion.lab.replaying import Asked, pools_of, stage_of
from emafusion.learn.panel.logistic import Prior, non_negative
from emafusion.replay.known import KnownEstimates
from emafusion.replay.records import Records
from emafusion.replay.run import Play, play

SETTINGS = (0.5, 0.9, 1.0)
"""Of the dial, at which stops are looked at."""
QUERIES = 1_000
FEWEST = 100
"""Stops at scored answers from which a level is learned."""
HELD = 20.0
"""Labels that the level as it was counts as."""
SURE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stops:
    """Answers at which the policy stopped: float64[N] `confidence` and `score`, both 0..1."""

    confidence: Floats
    score: Floats


def levelled(panel: PanelState, stops: Stops) -> PanelState:
    """The panel whose confidence in what is given has the level that it turned out to have."""
    if len(stops.score) < FEWEST:
        return panel
    sure = np.clip(stops.confidence, SURE, 1.0 - SURE)
    odds = np.log(sure / (1.0 - sure))
    prior = Prior(weights=np.ones(1), ridge=np.array([HELD]), bias=0.0)
    weight = np.full(len(odds), 1.0 / len(SETTINGS))  # the settings tell of the same queries
    theta = non_negative(odds[:, None], stops.score, prior=prior, weight=weight)
    shift, slope = round(float(theta[0]), 4), round(float(theta[1]), 4)
    return replace(panel, shift=shift, slope=slope)


def stops_of(
    records: Records,
    learned: Learned,
    quality: Floats,
    *,
    graded: tuple[Judge, ...] = (),
    seed: int = 0,
) -> Stops:
    """Let the policy answer some of the queries.

    `quality`: float64[n, m], predicted of each answer while its query was held out, NaN where
    nothing was; where it is known it stands in for what is predicted now. `graded`: judges whose
    grades were recorded.
    """
    drawn = np.zeros(len(records.queries), np.bool_)
    scored = np.flatnonzero(np.isfinite(records.score).any(axis=1))
    drawn[np.random.default_rng(seed).permutation(scored)[:QUERIES]] = True
    some, held = records.take(drawn), quality[drawn]
    stage = replace(stage_of(some, learned, Asked(quality_weights=SETTINGS)), graded=graded)
    recipe, names = recipe_of("hybrid")
    runs = play(some, _play(prepare(recipe, names, stage), stage, held))
    given = np.stack([run.model for run in runs], axis=1)
    confidence = np.stack([run.confidence for run in runs], axis=1)
    score = np.take_along_axis(some.score, np.maximum(given, 0), axis=1)
    told = (given >= 0) & np.isfinite(confidence + score)
    return Stops(confidence=confidence[told], score=score[told])


def _play(rehearsed: Rehearsed, stage: Stage, quality: Floats) -> Play:
    """What is to be replayed: every query at every setting, by predictions made without it."""
    queries, pools = stage.records.queries, pools_of(stage)
    pairs = enumerate(zip(stage.features, rehearsed.estimates, strict=True))
    estimates = {
        id(features): structs.replace(each, quality=_held(quality[i], each.quality))
        for i, (features, each) in pairs
    }
    objectives = [Objective(quality_weight=weight) for weight in SETTINGS]
    estimator = KnownEstimates(estimates, stage.candidates)
    own = replace(rehearsed.parts, estimator=estimator)
    parts = plan_ahead(own, queries, pools, objectives=objectives)

    def flow_of(i: int, w: int) -> Flow[Answer]:
        task = Task(query=queries[i], candidates=pools[i], objective=objectives[w])
        return route(task, parts)

    return Play(
        policy="hybrid",
        weights=SETTINGS,
        flow_of=flow_of,
        forget=rehearsed.forget,
        done=lambda _done: None,
    )


def _held(quality: Floats, otherwise: Floats) -> Floats:
    return np.where(np.isfinite(quality), quality, otherwise)
