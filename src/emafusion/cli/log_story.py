"""One decision in full, as a story: what was asked, what was known, done, and paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from emafusion.build.explaining import Explained
from emafusion.cli.log_attempts import attempt_lines
from emafusion.cli.log_list import signed_dollars
from emafusion.cli.log_margin import MARGIN, show_beside, show_line
from emafusion.cli.log_tables import (
    given_by,
    judgements_table,
    pool_table,
    shown_signals,
    steps_table,
)
from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line, printable
from emafusion.cli.signals_table import judges_told, told_sure
from emafusion.domain.outcome import RELATIVE
from emafusion.gateway.account import TOLD_RELATIVE
from emafusion.store.record import LabelsRecord, Record

OTHER = "worked out by the artifact of now: the one that decided is not at hand"


def show_story(console: Console, record: Record, why: Explained, *, now: datetime) -> None:
    """Print everything that is known of one request, in the order in which it happened."""
    _show_head(console, record, now)
    show_line(console, "query", record.detail.prompt or _no_text(record))
    for name, told in _known_before(record):
        show_line(console, name, told)
    console.print("")
    for name, table in _tables_before(record):
        show_beside(console, name, table)
        console.print("")
    for number in range(len(record.detail.attempts)):
        _show_attempt(console, record, number)
    if record.detail.attempts:
        console.print("")
    if record.detail.judgements:
        show_beside(console, "judges", judgements_table(record))
        console.print("")
    signals = shown_signals(record, why)
    if signals is not None:
        show_beside(console, "signals", signals)
        names = [attempt.candidate for attempt in record.detail.attempts]
        for told in judges_told(why.signals, names):
            show_line(console, "", told, style="dim")
        if RELATIVE in record.detail.tags:
            show_line(console, "relative", TOLD_RELATIVE)
        if not why.is_same:
            show_line(console, "", OTHER, style="dim")
        console.print("")
    _show_end(console, record)


def _tables_before(record: Record) -> Iterator[tuple[str, Table]]:
    if record.detail.pool:
        yield "pool", pool_table(record.detail.pool)
    if record.detail.plans:
        yield "steps", steps_table(record)


def _show_attempt(console: Console, record: Record, number: int) -> None:
    """What came of one call; a text that was given as the answer is shown there."""
    title, text = attempt_lines(record.detail.attempts[number])
    show_line(console, f"attempt {number + 1}", title)
    if text and number != record.detail.answer_attempt:
        console.print(Padding(Text(printable(text), "dim"), (0, 0, 0, MARGIN), expand=False))


def _show_head(console: Console, record: Record, now: datetime) -> None:
    row = record.row
    at = datetime.fromtimestamp(row.created_at, tz=now.tzinfo).isoformat(" ", "seconds")
    style = "red" if row.status >= 400 else "green"
    console.print(
        Text.assemble((row.decision_id, "bold cyan"), "  ", at, "  ", (str(row.status), style))
    )
    console.print("")


def _known_before(record: Record) -> Iterator[tuple[str, str]]:
    """What was known before any call."""
    row, detail = record.row, record.detail
    yield "asked for", ", ".join(_asked_for(record))
    if detail.labels is not None:
        yield "labels", _labels(detail.labels)
    if row.familiarity is not None:
        yield "familiar", f"{row.familiarity:.0%}, {_decided(row.route)}"
    elif row.route == "direct":
        yield "route", "direct: the client named the model"
    else:
        yield "route", row.route
    yield "objective", _objective(record)


def _asked_for(record: Record) -> Iterator[str]:
    row, detail, request = record.row, record.detail, record.detail.request
    yield one_line(row.requested)
    if request.stream:
        yield "streamed"
    if request.format != "text":
        yield request.format
    if request.tools:
        yield f"tools {' '.join(map(one_line, request.tools))}"
    if detail.messages is not None:
        yield f"{len(msgspec.json.decode(detail.messages, type=list[msgspec.Raw]))} messages"
    if row.prompt_tokens is not None:
        yield f"about {row.prompt_tokens:,} prompt tokens"
    for name, value in (("key", row.key_id), ("session", row.session), *detail.tags):
        if value is not None and (name, value) != RELATIVE:
            yield f"{one_line(name)} {one_line(value)}"


def _decided(route: str) -> str:
    return "split in parts" if route == "parts" else f"so the {route} view decided"


def _labels(labels: LabelsRecord) -> str:
    each = (labels.task, labels.depth, labels.domain, labels.format)
    return ", ".join(f"{label.label} {label.probability:.0%}" for label in each)


def _objective(record: Record) -> str:
    objective = record.detail.objective
    limits = (
        (objective.answer_value_usd, "a right answer is worth {}", dollars),
        (objective.max_cost_usd, "at most {}", dollars),
        (objective.max_latency_s, "within {} s", "{:g}".format),
        (objective.min_quality, "quality at least {}", "{:.0%}".format),
    )
    told = [f"quality_weight {objective.quality_weight:g}"]
    told += [said.format(form(value)) for value, said, form in limits if value is not None]
    if objective.candidates:
        told.append(f"only {', '.join(map(one_line, objective.candidates))}")
    return ", ".join(told)


def _show_end(console: Console, record: Record) -> None:
    row, detail = record.row, record.detail
    if row.status >= 400:
        what = f"{row.failure or 'refused'}{_after_colon(detail.failure_message)}"
        show_line(console, "failed", what, style="red")
    else:
        by = row.candidate or _several(record)
        sure = told_sure(row.confidence, detail.tags)
        show_line(console, "answer", _given(record) or _no_text(record), style="bold")
        show_line(console, "by", f"{one_line(by)}{sure}, propensity {row.propensity:.2g}")
    show_line(console, "cost", _cost(record))
    show_line(console, "took", f"{row.latency_s:.2f} s, {row.overhead_ms:.1f} ms of it ours")


def _several(record: Record) -> str:
    """Who made an answer that is no one model's."""
    last = record.detail.plans[-1].step if record.detail.plans else None
    fused = None if last is None else last.fused
    if record.row.route == "parts":
        return "several, each a part of the query"
    return "several, fused" if last is None or fused is None else given_by(last, record)


def _given(record: Record) -> str | None:
    """What the client got: text, tool calls, or both."""
    number = record.detail.answer_attempt
    return record.answer if number is None else attempt_lines(record.detail.attempts[number])[1]


def _no_text(record: Record) -> str:
    return "(only its hash is kept)" if record.detail.prompt is None else "(empty)"


def _cost(record: Record) -> str:
    row = record.row
    if row.baseline_usd is None or row.saved_usd is None:
        return dollars(row.cost_usd)
    part = f" ({row.saved_usd / row.baseline_usd:.0%})" if row.baseline_usd else ""
    baseline = f"the best single model would have cost {dollars(row.baseline_usd)}"
    return f"{dollars(row.cost_usd)}; {baseline}: saved {signed_dollars(row.saved_usd)}{part}"


def _after_colon(message: str | None) -> str:
    return "" if not message else f": {one_line(message)}"
