"""What is read back is what was written down."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.store.outcomes import answer, estimates, features, outcome

from emafusion.domain.attempt import Attempt, Choice, Reply, TokenLogprob, Usage
from emafusion.domain.errors import Failure, RateLimited, TimedOut
from emafusion.domain.evidence import (
    CallStep,
    Evidence,
    Fused,
    FuseStep,
    GatherStep,
    Judgement,
    JudgeStep,
    Merge,
    Plan,
    Signal,
    Step,
    StopStep,
)
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer, Outcome
from emafusion.domain.query import (
    Format,
    ImagePart,
    Message,
    OpaquePart,
    Query,
    Settings,
    TextPart,
    Tool,
    ToolCall,
)
from emafusion.store.connection import connect, open_log
from emafusion.store.estimates import LabelNames
from emafusion.store.read import LogReader
from emafusion.store.record import Record
from emafusion.store.recording import Recorder
from emafusion.store.rows import insert, to_row
from emafusion.store.texts import Prompts, Texts

# Any character, lone surrogates too: what a Python caller may hand over.
texts = st.text(st.characters(), max_size=30)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
money = st.none() | st.floats(0, 100)
shares = st.floats(0, 1)
counts = st.integers(0, 10**6)

parts = (
    st.builds(TextPart, text=texts)
    | st.builds(ImagePart, url=texts)
    | st.builds(OpaquePart, kind=st.just("audio"), raw=st.just(b'{"data": "AAAA"}'))
)
calls = st.builds(ToolCall, id=names, name=names, arguments=texts)
messages = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    parts=st.lists(parts, max_size=3).map(tuple),
    tool_calls=st.lists(calls, max_size=2).map(tuple),
    tool_call_id=st.none() | names,
)
queries = st.builds(
    Query,
    query_id=names,
    messages=st.lists(messages, max_size=4).map(tuple),
    requested=texts,
    tools=st.lists(st.builds(Tool, name=names), max_size=2).map(tuple),
    format=st.builds(Format, kind=st.sampled_from(["text", "json_object"])),
    settings=st.builds(
        Settings,
        max_tokens=st.none() | counts,
        temperature=st.none() | shares,
        stop=st.lists(texts, max_size=2).map(tuple),
        tool_choice=st.none() | texts,
    ),
)
usages = st.builds(
    Usage, prompt_tokens=counts, completion_tokens=counts, reasoning_tokens=counts, cpu_s=money
)
tokens = st.builds(TokenLogprob, token=texts, logprob=st.floats(-20, 0))
choices = st.builds(
    Choice,
    text=texts,
    tool_calls=st.lists(calls, max_size=2).map(tuple),
    finish_reason=st.sampled_from(["stop", "length"]),
    refusal=st.none() | texts,
    logprobs=st.lists(tokens, max_size=3).map(tuple),
)
replies = st.builds(
    Reply,
    choices=st.lists(choices, min_size=1, max_size=3).map(tuple),
    model=texts,
    usage=st.none() | usages,
)
failures: st.SearchStrategy[Failure] = st.builds(RateLimited, texts) | st.builds(TimedOut, texts)
answered = st.builds(
    Attempt, candidate=names, reply=replies, cost_usd=money, latency_s=shares, ttft_s=money
)
unanswered = st.builds(Attempt, candidate=names, failure=failures, cost_usd=money)
judgements = st.builds(
    Judgement, judge=names, attempt=counts, value=st.none() | shares, verdict=texts, cost_usd=money
)
places = st.lists(counts, max_size=3).map(tuple)
steps: st.SearchStrategy[Step] = (
    st.builds(CallStep, candidate=names, live=st.booleans())
    | st.builds(JudgeStep, judges=st.lists(names, max_size=2).map(tuple), attempt=counts)
    | st.builds(GatherStep, candidates=st.lists(names, max_size=3).map(tuple))
    | st.builds(FuseStep, candidate=names, attempts=places, over=counts)
    | st.builds(
        StopStep,
        attempt=st.none() | counts,
        fused=st.none()
        | st.builds(Fused, way=st.sampled_from(["vote", "merge", "parts"]), attempts=places),
    )
)
merges = st.builds(
    Merge,
    attempt=answered | unanswered,
    of=places,
    over=counts,
    compared=st.lists(judgements, max_size=2).map(tuple),
    kept=st.booleans(),
)
signals = st.builds(
    Signal,
    name=names,
    attempt=counts,
    value=st.none() | shares,
    weight=shares,
    before=shares,
    after=shares,
    cost_usd=money,
)
plans = st.builds(
    Plan,
    step=steps,
    propensity=shares,
    reason=texts,
    likely=st.lists(steps, max_size=2).map(tuple),
    quality=st.none() | shares,
    cost_usd=money,
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Any answer that a flow may come to, consistent or not."""
    attempts = draw(st.lists(answered | unanswered, max_size=3).map(tuple))
    replied = [n for n, attempt in enumerate(attempts) if attempt.reply is not None]
    chosen = draw(st.none() | st.sampled_from(replied)) if replied else None
    evidence = Evidence(
        attempts=attempts,
        judgements=draw(st.lists(judgements, max_size=3).map(tuple)),
        confidences=tuple(draw(st.none() | shares) for _ in attempts),
        groups=tuple(draw(st.integers(-1, 2)) for _ in attempts),
        labelled=draw(st.lists(answered | unanswered, max_size=1).map(tuple)),
        merge=draw(st.none() | merges),
    )
    return replace(
        answer(),
        reply=draw(st.none() | replies) if chosen is None else attempts[chosen].reply,
        failure=draw(st.none() | failures) if chosen is None else None,
        attempt=chosen,
        evidence=evidence,
        plans=draw(st.lists(plans, max_size=3).map(tuple)),
        signals=draw(st.lists(signals, max_size=3).map(tuple)),
        features=draw(st.none() | st.builds(features, counts)),
        estimates=draw(st.none() | st.builds(estimates)),
        route=draw(names),
        propensity=draw(shares),
        confidence=draw(st.none() | shares),
        baseline_usd=draw(money),
    )


outcomes = st.builds(
    Outcome,
    decision_id=names,
    created_at=st.floats(0, 2e9),
    query=queries,
    objective=st.builds(Objective, quality_weight=shares, candidates=st.frozensets(names)),
    answer=answers(),
    status=st.integers(200, 599),
    latency_s=shares,
    overhead_ms=shares,
    session=st.none() | texts,
    key_id=st.none() | names,
    tags=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)


def written_and_read(given_record: Record) -> Record | None:
    """Through a file and back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        open_log(path)
        connection = connect(path, patience_s=1.0)
        insert(connection, [to_row(given_record)])
        connection.close()
        with LogReader(path) as reader:
            return reader.get(given_record.row.decision_id)


@settings(max_examples=60, deadline=None)
@given(outcomes, st.sampled_from(["full", "hash"]))
def test_any_outcome_comes_back_as_it_was_written_down(given: Outcome, prompts: Prompts) -> None:
    """Record -> row -> record loses nothing, whatever is in the texts."""
    recorder = Recorder(texts=Texts(prompts=prompts), names=LabelNames())
    record = recorder.record(given)
    assert written_and_read(record) == record


def test_a_record_says_what_the_outcome_said() -> None:
    """The columns are the outcome's own figures."""
    names = LabelNames(task=tuple(f"task-{n}" for n in range(16)))
    record = Recorder(texts=Texts(prompts="full"), names=names).record(outcome("em-1"))
    row, detail = record.row, record.detail
    assert (row.opening, row.task, row.candidate) == ("What is 2 + 2?", "task-11", "small")
    assert (row.looks, row.escalated, row.prompt_tokens) == (1, False, 12)
    assert row.cost_usd == 0.00002
    assert row.saved_usd == 0.004 - 0.00002
    assert record.answer == "It is 4."
    assert detail.messages is None
    assert detail.pool[1].latency_s is None
    assert detail.plans[0].step.candidate == "small"
    assert detail.attempts[0].usage is not None
    assert detail.attempts[0].usage.cached_prompt_tokens == 4
    assert detail.labels is not None
    assert detail.labels.depth.label == "2"


def test_large_attachments_leave_their_size_and_hash() -> None:
    """The log is no image store."""
    image = ImagePart(url="data:image/png;base64," + "A" * 100_000)
    message = Message(role="user", parts=(TextPart(text="What is this?"), image))
    seen = replace(outcome(), query=Query(query_id="q", messages=(message,)))
    record = Recorder(texts=Texts(prompts="full"), names=LabelNames()).record(seen)
    assert record.detail.messages is not None
    assert len(record.detail.messages) < 300
    assert "data:image/png;base64,AAAAAAAAAA... (100022 bytes" in record.detail.messages
    assert record.detail.prompt == "What is this?"
