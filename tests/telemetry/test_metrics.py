"""Outcomes become metrics: nothing is lost, nothing unknown becomes 0, labels stay few."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families
from tests.store.outcomes import outcome, said

from emafusion.domain.attempt import Usage
from emafusion.domain.evidence import Evidence
from emafusion.telemetry import watch
from emafusion.telemetry.metrics import Metrics, kinds_of
from emafusion.telemetry.now import Now
from emafusion.telemetry.watch import Aside

NOW = Now(under_way=3, lost=1, missed=0, resting={"small": True, "large": False}, artifact="abc")


def read(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of the page, by name and labels."""
    page = metrics.page(NOW).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def total(samples: dict[tuple[str, tuple[tuple[str, str], ...]], float], name: str) -> float:
    """The sum over all labels."""
    return sum(value for (each, _), value in samples.items() if each == name)


def test_a_request_is_counted_with_all_that_was_done_for_it() -> None:
    """Calls, tokens, dollars, judges, time."""
    metrics, seen = Metrics(), outcome()
    metrics.answered(seen)
    samples, evidence = read(metrics), seen.answer.evidence
    assert total(samples, "emafusion_requests_total") == 1
    assert total(samples, "emafusion_attempts_total") == len(evidence.attempts)
    assert total(samples, "emafusion_judgements_total") == len(evidence.judgements)
    assert total(samples, "emafusion_overhead_seconds_sum") == seen.overhead_ms / 1000
    assert samples["emafusion_under_way", ()] == 3
    assert samples["emafusion_model_resting", (("model", "small"),)] == 1


def test_an_unknown_cost_is_counted_as_unknown() -> None:
    """Not as nothing."""
    metrics = Metrics()
    seen = outcome()
    evidence = Evidence(attempts=(said("small", "4", cost_usd=None),), confidences=(0.9,))
    metrics.answered(replace(seen, answer=replace(seen.answer, evidence=evidence)))
    samples = read(metrics)
    assert total(samples, "emafusion_unpriced_total") == 1
    assert total(samples, "emafusion_cost_usd_total") == 0


def test_what_was_turned_away_is_counted_by_why() -> None:
    """By status and code, which are few."""
    metrics = Metrics()
    metrics.refused(401, "invalid_api_key")
    key = ("emafusion_refused_total", (("code", "invalid_api_key"), ("status", "401")))
    assert read(metrics)[key] == 1


@given(st.lists(st.integers(0, 10**6), min_size=5, max_size=5))
def test_kinds_of_tokens_add_up(counts: list[int]) -> None:
    """Every token is of one kind."""
    fresh, cached, written, said_tokens, thought = counts
    usage = Usage(
        prompt_tokens=fresh + cached + written,
        cached_prompt_tokens=cached,
        cache_write_tokens=written,
        completion_tokens=said_tokens + thought,
        reasoning_tokens=thought,
    )
    assert sum(tokens for _, tokens in kinds_of(usage)) == sum(counts)


async def test_what_is_put_aside_is_looked_at_in_order() -> None:
    """Later, in small portions, and nothing of it twice."""
    seen: list[str] = []

    class Notes:
        def answered(self, each: object, /) -> None:
            seen.append(getattr(each, "decision_id", ""))

        def refused(self, status: int, code: str, /) -> None:
            seen.append(f"{status}{code}")

    aside = Aside((Notes(),))
    for n in range(120):
        aside.refused(400 + n, "")
    await asyncio.sleep(watch.SOON_S + 0.1)
    assert len(seen) == 120
    assert all(one < other for one, other in pairwise(seen))
    aside.refused(1000, "x")
    aside.flush()
    assert seen[-1] == "1000x"


async def test_more_than_can_be_kept_is_counted_as_missed() -> None:
    """The oldest go, and it is told how many."""
    aside = Aside(())
    for _ in range(watch.ASIDE + 7):
        aside.refused(400, "")
    assert aside.missed == 7
    aside.flush()
