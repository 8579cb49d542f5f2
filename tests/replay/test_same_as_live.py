"""What is replayed is what is served: the same conversation under both drivers."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("polars")

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.replay.recorded_table import frame_of, rows_of

from emafusion.build.parts import build_parts, learned_from
from emafusion.build.replay_ahead import plan_ahead
from emafusion.build.replaying import FREE, recipe_of, rehearse
from emafusion.catalog import cost_usd
from emafusion.config import Config, FusionSection
from emafusion.config.tree import JudgesSection, PolicySection
from emafusion.domain.attempt import Attempt
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer
from emafusion.flow.parts import Parts, Task, everything_said
from emafusion.flow.route import route
from emafusion.gateway.driver import Run, drive
from emafusion.lab.replaying import Asked, stage_of
from emafusion.replay.driver import run
from emafusion.replay.recorded import RecordedAnswers, reply_of
from emafusion.replay.records import Records, records_of
from emafusion.tables.query import query_of
from emafusion.testing import FakeUpstream, said

ROWS = [row | {"mean_logprob": -0.05 if row["score"] else -0.4} for row in rows_of(24)]
RECORDS = records_of(frame_of(ROWS), query_of)
LEARNED = learned_from(None)
SHARE = 0.3
POLICIES = ("hybrid", "fusion", "agreement", "induction", "threshold")


@settings(deadline=None, max_examples=60)
@given(i=st.integers(0, 23), weight=st.floats(0, 1), policy=st.sampled_from(POLICIES))
def test_the_same_answer_live_and_replayed(i: int, weight: float, policy: str) -> None:
    """Plans, calls, judgements, confidences, groups, money and time are equal."""
    stage = replace(stage_of(RECORDS, LEARNED, Asked()), explore_share=SHARE)
    objective = Objective(quality_weight=weight)
    pools = [stage.candidates] * len(RECORDS.queries)
    parts = plan_ahead(
        rehearse(policy, stage).parts, RECORDS.queries, pools, objectives=[objective]
    )
    task = Task(
        query=RECORDS.queries[i],
        candidates=stage.candidates,
        objective=objective,
        is_fused=policy == "fusion",
    )
    replayed = run(route(task, parts), RecordedAnswers(RECORDS))
    served = build_parts(
        Config(
            policy=PolicySection(mode=recipe_of(policy)[0].policy, explore_share=SHARE),
            judges=JudgesSection(use=FREE),
            fusion=FusionSection(samples=1),
        ),
        stage.candidates,
        LEARNED,
    )
    assert told(replayed) == told(live(task, replace(served, unsupported=everything_said), i))


def live(task: Task, parts: Parts, i: int) -> Answer:
    """The served parts by the gateway's driver, over an upstream that says what was recorded."""
    upstream = FakeUpstream({name: (_attempt(RECORDS, i, name),) for name in RECORDS.models})

    async def serve() -> Answer:
        ends_s = asyncio.get_running_loop().time() + 30
        circumstances = Run(upstreams={"recorded": upstream}, pricer=cost_usd, deadline_s=ends_s)
        return await drive(route(task, parts), circumstances)

    return asyncio.run(serve())


def _attempt(records: Records, i: int, name: str) -> Attempt:
    k = records.place(name)
    return structs.replace(
        said("", by=name, cost_usd=records.cost_usd[i, k], latency_s=records.latency_s[i, k]),
        reply=reply_of(records, i, k),
    )


def told(answer: Answer) -> tuple[object, ...]:
    """All of an answer that can be compared."""
    assert answer.estimates is not None
    return (
        answer.evidence,
        answer.plans,
        answer.attempt,
        answer.confidence,
        answer.route,
        answer.propensity,
        answer.baseline_usd,
        np.round(answer.estimates.quality, 12).tolist(),
        answer.estimates.basis,
    )
