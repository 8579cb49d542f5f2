"""How the confidences of a logged decision came about: worked out again from what was written down.

Nothing is kept for it while requests wait. The panel is a pure function of what the log holds and
of the artifact that decided, whose digest it holds too.
"""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.build.opening import today_catalog
from emafusion.build.parts import learned_from, load_artifact
from emafusion.catalog import Catalog
from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import BadInput, Rejected
from emafusion.domain.evidence import Case, Evidence, Judgement, Signal
from emafusion.domain.model import Candidate, Model
from emafusion.domain.query import Format, FormatKind, Query, Settings, Tool, ToolCall, ask
from emafusion.judge.explain import explain_confidence
from emafusion.judge.panel import LogOddsPanel
from emafusion.store.artifact import Artifact
from emafusion.store.record import AttemptRecord, Record

ARTIFACT, PARTS = "artifact", "parts"
"""The tag that names an artifact; the route of answers to parts, which are no peers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """`signals`: of each answer, in order. `is_same`: whether by the artifact that decided."""

    signals: tuple[Signal, ...]
    is_same: bool


def explained(record: Record, *, artifact: str | None = None) -> Explained:
    """How the confidences of a decision came about.

    `artifact`: folder of the one in use now, None for the one that ships. What was kept of a
    decision that was asked for with its explanation is given as it was.
    """
    kept = tuple(
        Signal(
            name=each.name,
            attempt=each.attempt,
            value=each.value,
            weight=each.weight,
            before=each.before,
            after=each.after,
            cost_usd=each.cost_usd,
            effective=each.effective,
        )
        for plan in record.detail.plans
        for each in plan.signals
    )
    if kept or not record.detail.judgements or record.row.route == PARTS:
        return Explained(signals=kept, is_same=True)
    found = _found(dict(record.detail.tags).get(ARTIFACT), artifact)
    panel = LogOddsPanel(learned_from(found).panel)
    signals = explain_confidence(panel, _qualities(record), case_of(record))
    decided = dict(record.detail.tags).get(ARTIFACT)
    return Explained(signals=signals, is_same=found is not None and found.digest == decided)


def case_of(record: Record) -> Case:
    """What the panel read, as far as it is written down."""
    answers = _answers(record)
    count = len(answers)
    evidence = Evidence(
        attempts=tuple(map(_attempt, answers)),
        judgements=tuple(
            Judgement(
                judge=each.judge,
                attempt=each.attempt,
                value=each.value,
                verdict=each.verdict,
                cost_usd=each.cost_usd,
            )
            for each in record.detail.judgements
            if each.attempt < count
        ),
        groups=tuple(each.group for each in answers),
    )
    catalog = today_catalog()
    names = dict.fromkeys(each.candidate for each in answers)
    pool = tuple(_candidate(name, catalog) for name in names)
    return Case(query=_query(record), evidence=evidence, attempt=0, candidates=pool)


def _answers(record: Record) -> list[AttemptRecord]:
    return [each for each in record.detail.attempts if each.purpose == "answer"]


def _qualities(record: Record) -> list[float]:
    known = {each.candidate: each.quality for each in record.detail.pool}
    return [known.get(each.candidate, 0.5) for each in _answers(record)]


def _found(decided: str | None, folder: str | None) -> Artifact | None:
    """The artifact that decided if it is at hand, else the one in use now."""
    now = None
    for name in dict.fromkeys((folder, None)):
        try:
            artifact = load_artifact(name)
        except BadInput:  # gone since, or damaged: the other one may do
            continue
        now = now or artifact
        if artifact is not None and artifact.digest == decided:
            return artifact
    return now


def _attempt(record: AttemptRecord) -> Attempt:
    if record.failure is not None:
        return Attempt(candidate=record.candidate, failure=Rejected("failed then"))
    calls = tuple(
        ToolCall(id="", name=each.name, arguments=each.arguments) for each in record.tool_calls
    )
    choice = Choice(text=record.response or "", tool_calls=calls, refusal=record.refusal)
    reply = Reply(choices=(choice,), model=record.model or record.candidate)
    return Attempt(candidate=record.candidate, reply=reply, cost_usd=record.cost_usd)


def _query(record: Record) -> Query:
    request, plain = record.detail.request, ask(record.detail.prompt or "")
    kinds: dict[str, FormatKind] = {"json_object": "json_object", "json_schema": "json_schema"}
    tags = dict(record.detail.tags)
    return Query(
        query_id=record.row.query_id,
        messages=plain.messages,
        tools=tuple(Tool(name=name) for name in request.tools),
        format=Format(kind=kinds.get(request.format, "text")),
        settings=Settings(tool_choice=request.tool_choice),
        dataset=tags.get("dataset"),
    )


def _candidate(name: str, catalog: Catalog) -> Candidate:
    """A model as the catalog knows it: models of one family err alike."""
    known = catalog.find(name)
    model = Model(name=name, provider="unknown") if known is None else known
    return Candidate(name=name, model=model, deployment="log", remote_name=name)
