"""The tables within the story of one decision: the pool, the steps, the judgements."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
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
    if step.kind == "call":
        return f"call {one_line(step.candidate or '')}{', live' if step.live else ''}"
    if step.kind == "judge":
        return f"judge {_subject(step.attempt, record)} by {', '.join(map(one_line, step.judges))}"
    return "give up" if step.attempt is None else f"give {_subject(step.attempt, record)}"


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
