"""The tables within the story of one decision: the pool, the steps, the judgements."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from emafusion.build.explaining import Explained
from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.cli.signals_table import signals_table
from emafusion.store.record import CandidateRecord, JudgementRecord, Record, StepRecord


def pool_table(pool: tuple[CandidateRecord, ...]) -> Table:
    """What was expected of each candidate, and on what basis."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("candidate", "right", "cost", "seconds", "rests on"):
        table.add_column(name, justify="right" if name in {"cost", "seconds"} else "left")
    for each in pool:
        table.add_row(
            Text(one_line(each.candidate)),
            f"{each.quality:.0%} ± {each.quality_sd:.0%}",
            dollars(each.cost_usd),
            "unknown" if each.latency_s is None else f"{each.latency_s:.1f}",
            Text(one_line(each.basis)),
        )
    return table


def steps_table(record: Record) -> Table:
    """What was done, with what propensity, and why."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("did", "propensity", "because"):
        table.add_column(name, justify="right" if name == "propensity" else "left")
    for plan in record.detail.plans:
        table.add_row(
            Text(_told(plan.step, record)), f"{plan.propensity:.2g}", Text(one_line(plan.reason))
        )
    return table


def judgements_table(record: Record) -> Table:
    """What the judges said."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("judge", "read", "says", "cost", "verdict"):
        table.add_column(name, justify="right" if name in {"says", "cost"} else "left")
    for each in record.detail.judgements:
        table.add_row(
            Text(one_line(each.judge)),
            Text(_subject(each.attempt, record)),
            _says(each),
            dollars(each.cost_usd),
            Text(one_line(each.verdict)),
        )
    return table


def _told(step: StepRecord, record: Record) -> str:
    match step.kind:
        case "call":
            return f"call {one_line(step.candidate or '')}{', live' if step.live else ''}"
        case "judge":
            judges = ", ".join(map(one_line, step.judges))
            return f"judge {_subject(step.attempt, record)} by {judges}"
        case "gather":
            return f"call {', '.join(map(one_line, step.candidates))} at once"
        case "fuse":
            return f"let {one_line(step.candidate or '')} write one of {len(step.attempts)}"
        case "stop":
            return f"give {given_by(step, record)}"


def given_by(step: StepRecord, record: Record) -> str:
    """Whose answer a stop gives: one model's, or how it was made of several."""
    if step.fused is None:
        return "nothing" if step.attempt is None else _subject(step.attempt, record)
    names = ", ".join(_subject(number, record) for number in step.attempts)
    return f"{WAYS.get(step.fused, step.fused)} {names}"


WAYS = {
    "vote": "the equal answer of",
    "merge": "what was written from the answers of",
    "parts": "the parts answered by",
}
"""How an answer of several came about, in words."""


def shown_signals(record: Record, told: Explained) -> Table | None:
    """How each confidence came about; None where nobody judged."""
    names = [attempt.candidate for attempt in record.detail.attempts]
    return signals_table(told.signals, names) if told.signals else None


def _says(judgement: JudgementRecord) -> str:
    return "abstains" if judgement.value is None else f"{judgement.value:.2f}"


def _subject(number: int | None, record: Record) -> str:
    """Whose answer it is; with its number where one candidate made several."""
    attempts = record.detail.attempts
    if number is None or not 0 <= number < len(attempts):
        return "nothing"
    name = attempts[number].candidate
    several = sum(attempt.candidate == name for attempt in attempts) > 1
    return one_line(f"{name} (attempt {number + 1})" if several else name)
