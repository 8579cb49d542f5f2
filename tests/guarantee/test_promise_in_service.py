"""A promise in service: served at its setting, audited, and broken plainly."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from emafusion.build.auditing import Auditor, reason_for_alarm
from emafusion.build.opening import opened
from emafusion.build.promising import Promise
from emafusion.config import Config, parse
from emafusion.domain.errors import BadInput
from emafusion.replay.guarantee.certificate import Certificate, Refusal
from emafusion.store.artifact import load_default
from emafusion.store.feedback.feedback import Feedback

TEXT = """
objective: {certificate: FILE}
models:
  - {name: cheap, provider: openai, base_url: "http://127.0.0.1:9/v1", prompt_usd_per_mtok: 0.1,
     completion_usd_per_mtok: 0.4}
  - {name: dear, provider: openai, base_url: "http://127.0.0.1:9/v1", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8}
"""


def certificate() -> Certificate:
    """A certificate for this pool and the artifact that ships."""
    shipped = load_default()
    assert shipped is not None
    return Certificate(
        min_quality=0.9,
        confidence=0.95,
        reference="dear",
        policy="hybrid",
        quality_weight=0.3,
        queries=500,
        kept=0.97,
        p_value=0.01,
        cost_usd=None,
        reference_cost_usd=None,
        models=("cheap", "dear"),
        date="2026-01-01",
        version="0.1.0",
        seed=0,
        data_sha256="",
        artifact_sha256="",
        prices_sha256="",
        artifact=shipped.digest,
        reference_score=0.9,
    )


def config(tmp_path: Path, found: Certificate | Refusal) -> Config:
    """A config that names the certificate."""
    file = tmp_path / "promise.json"
    file.write_bytes(msgspec.json.encode(found))
    return parse(TEXT.replace("FILE", str(file)), source="test.yaml", env={})


def audits(scores: list[float]) -> list[Feedback]:
    """Audits with these scores."""
    return [
        Feedback(decision_id=f"em-{i}", created_at=1.0, source="audit", score=score)
        for i, score in enumerate(scores)
    ]


class Kept:
    """Feedback that is at hand."""

    def __init__(self, seen: list[Feedback]) -> None:
        self.seen = seen

    async def owner(self, _decision_id: str, /) -> tuple[bool, str | None]:
        """Not asked for."""
        return False, None

    async def add(self, feedback: Feedback, /) -> None:
        """Keep it."""
        self.seen.append(feedback)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def audits(self, _since: float, _quality_weight: float, /) -> list[Feedback]:
        """All of it."""
        return self.seen


async def test_its_setting_is_served_until_it_is_broken(tmp_path: Path) -> None:
    """Then the strict side, told by `/ready`."""
    env, found = {"EMAFUSION_HOME": str(tmp_path)}, config(tmp_path, certificate())
    async with opened(found, env) as gateway:
        service = gateway.service
        assert service.objective.quality_weight == 0.3
        assert service.readiness().promise is None
        promise = Promise(
            quality_weight=0.3,
            least=0.81,
            delta=0.05,
            since=0.0,
            artifact=service.parts.artifact or "",
            told="90 %",
        )
        kept = Kept(audits([1.0] * 20))
        auditor = Auditor(service, promise, kept)
        await auditor.look()
        assert service.alarm is None
        kept.seen += audits([0.0] * 60)
        await auditor.look()
        assert service.objective.quality_weight == 1.0
        told = service.readiness()
        assert told.status == "degraded"
        assert "80 audited answers have a mean score of 0.25" in (told.promise or "")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (msgspec.structs.replace(certificate(), artifact="another"), "the artifact is another"),
        (msgspec.structs.replace(certificate(), models=("cheap",)), "the pool differs in dear"),
        (msgspec.structs.replace(certificate(), policy="router"), "router, and hybrid is served"),
        (msgspec.structs.replace(certificate(), reference_score=None), "older version"),
        (
            Refusal(
                reason="too few labelled queries: 20, about 400 would do",
                min_quality=0.9,
                confidence=0.95,
                reference="dear",
                kept=0.9,
                queries=20,
                queries_needed=400,
                min_quality_within_reach=None,
            ),
            "promises nothing: too few",
        ),
    ],
)
async def test_what_is_no_promise_here_is_refused(
    tmp_path: Path, found: Certificate | Refusal, why: str
) -> None:
    """In one line, before anything is served."""
    with pytest.raises(BadInput, match=why):
        async with opened(config(tmp_path, found), {"EMAFUSION_HOME": str(tmp_path)}):
            pass


def test_false_alarms_are_as_rare_as_was_promised() -> None:
    """However long one watches: at the very edge of the promise, delta of all lives at most."""
    source, false = random.Random(1), 0
    promise = Promise(
        quality_weight=0.3, least=0.8, delta=0.1, since=0.0, artifact="a", told="80 %"
    )
    lives = 200
    for _ in range(lives):
        seen = audits([float(source.random() < 0.8) for _ in range(150)])
        false += reason_for_alarm(promise, seen, "a") is not None
    assert false <= lives * promise.delta + 2 * (lives * 0.09) ** 0.5
