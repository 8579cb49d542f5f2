"""Explanations and decisions as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.cli.log_margin import show_beside, show_line
from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.cli.screen import say, show
from emafusion.cli.signals_table import judges_told, signals_table, told_sure
from emafusion.cli.story_steps import Done, done_in_order
from emafusion.domain.attempt import Attempt
from emafusion.domain.evidence import (
    CallStep,
    Evidence,
    Fused,
    FuseStep,
    GatherStep,
    Judgement,
    JudgeStep,
    StopStep,
)
from emafusion.domain.outcome import RELATIVE, Outcome
from emafusion.gateway.account import TOLD_RELATIVE, told_fused
from emafusion.gateway.explanation import Explanation

VIEWS = {
    "taxonomy": "what is known of each model in this class of queries decides",
    "learned": "what was learned from similar queries decides",
    "prior": "nothing recorded tells these models apart on it; price, family and size decide",
    "parts": "it is split, and each part is decided by itself",
}
"""Route -> what it rests on."""


RELATIVE_QUALITY = "learned without labels: qualities rank models, and tell no level"


def show_explanation(console: Console, plan: Explanation) -> None:
    """Print a plan and everything it rests on."""
    labels = ", ".join(f"{x.label} {x.probability:.0%}" for x in plan.labels)
    show_line(console, "query", labels)
    if plan.route in VIEWS:
        show_line(console, "familiar", f"{plan.familiarity:.0%}: {VIEWS[plan.route]}")
    show_line(console, "objective", f"quality_weight {plan.quality_weight:g}")
    if plan.relative:
        show_line(console, "relative", RELATIVE_QUALITY)
    say(console)
    show(console, _pool(plan))
    for name, reason in plan.excluded.items():
        show_line(console, "left out", f"{name}: {reason}", style="dim")
    say(console)
    show_line(console, "plan", ", then if need be ".join([plan.first, *plan.then]))
    show_line(console, "because", plan.reason)
    if plan.quality is not None:
        cost = dollars(plan.cost_usd)
        show_line(console, "expected", f"{plan.quality:.0%} right for {cost}, all steps included")


def show_decision(console: Console, outcome: Outcome) -> None:
    """Print what was done for a query, step by step in order, and what it cost."""
    evidence = outcome.answer.evidence
    for attempt in evidence.labelled:
        show_line(console, "asked", f"{attempt.candidate} what the query is: {_came(attempt)}")
    for number, done in enumerate(done_in_order(outcome.answer), start=1):
        show_beside(console, f"step {number}", _step(done, evidence))
    say(console)
    if outcome.answer.signals:
        names = [attempt.candidate for attempt in evidence.attempts]
        show_beside(console, "signals", signals_table(outcome.answer.signals, names))
        for told in judges_told(outcome.answer.signals, names):
            show_line(console, "", told, style="dim")
        if RELATIVE in outcome.tags:
            show_line(console, "relative", TOLD_RELATIVE)
        say(console)
    for name, told in _ending(outcome):
        show_line(console, name, told)


def summary(outcome: Outcome) -> str:
    """One line: who answered, by which route, how sure, for how much, how fast."""
    answer, evidence = outcome.answer, outcome.answer.evidence
    sure = told_sure(answer.confidence, outcome.tags)
    looks = len(evidence.attempts)
    calls = f"{looks} call{'s' if looks > 1 else ''}"
    money = f"{dollars(evidence.cost_usd)}, {outcome.latency_s:.2f} s"
    return f"{_giver(outcome)} ({answer.route}{sure}), {calls}, {money}, {outcome.decision_id}"


def _giver(outcome: Outcome) -> str | None:
    """Whose answer it is, one model's or several."""
    fused, evidence = outcome.answer.fused, outcome.answer.evidence
    return outcome.answer.candidate if fused is None else told_fused(fused, evidence)


def _step(done: Done, evidence: Evidence) -> Table:
    """A step with its reason and what came of it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text.assemble((_title(done, evidence), "bold"), ": ", one_line(done.plan.reason)))
    for attempt in done.attempts:
        by = f"{attempt.candidate} " if len({a.candidate for a in done.attempts}) > 1 else ""
        grid.add_row(Text(f"{by}{_came(attempt)}", style="dim"))
    for judgement in done.judgements:
        grid.add_row(Text(_said(judgement), style="dim"))
    return grid


def _title(done: Done, evidence: Evidence) -> str:
    match done.plan.step:
        case CallStep() as step:
            return f"call {step.candidate}{', streamed as it comes' if step.live else ''}"
        case JudgeStep() as step:
            return f"judge {evidence.attempts[step.attempt].candidate}"
        case GatherStep() as step:
            return f"call {', '.join(step.candidates)} at once"
        case FuseStep() as step:
            return f"let {step.candidate} write one answer of {len(step.attempts)}"
        case StopStep(fused=Fused() as fused):
            return f"give {told_fused(fused, evidence)}"
        case StopStep() as step:
            place = step.attempt
            return "give up" if place is None else f"give {evidence.attempts[place].candidate}"


def _came(attempt: Attempt) -> str:
    """What came of a call.

    >>> from emafusion.domain.errors import Overloaded
    >>> _came(Attempt(candidate="small", failure=Overloaded("busy"), latency_s=0.25))
    'failed: busy; 0.25 s, unknown'
    """
    money = f"{attempt.latency_s:.2f} s, {dollars(attempt.cost_usd)}"
    if attempt.reply is None:
        return f"failed: {one_line(str(attempt.failure))}; {money}"
    usage = attempt.reply.usage
    if usage is None or usage.prompt_tokens + usage.completion_tokens == 0:  # not told; a program
        return f"answered; {money}"
    return f"answered; {usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens; {money}"


def _said(judgement: Judgement) -> str:
    """What a judge said.

    >>> _said(Judgement(judge="logprob", attempt=0, value=0.734, verdict="mean p 0.73"))
    'logprob 0.73 (mean p 0.73)'
    """
    value = "abstains" if judgement.value is None else f"{judgement.value:.2f}"
    verdict = f" ({one_line(judgement.verdict)})" if judgement.verdict else ""
    cost = f", {dollars(judgement.cost_usd)}" if judgement.cost_usd != 0 else ""
    return f"{judgement.judge} {value}{verdict}{cost}"


def _ending(outcome: Outcome) -> Iterator[tuple[str, str]]:
    answer = outcome.answer
    if answer.reply is not None:
        sure = told_sure(answer.confidence, outcome.tags)
        yield "answer by", f"{_giver(outcome)}{sure}"
    yield "cost", _cost(outcome)
    yield "took", f"{outcome.latency_s:.2f} s, {outcome.overhead_ms:.0f} ms of it our own"
    yield "decision", f"{outcome.decision_id}  (emafusion log {outcome.decision_id[-6:]})"


def _cost(outcome: Outcome) -> str:
    """What was paid, beside what the best single model is expected to cost."""
    spent, single = outcome.answer.evidence.cost_usd, outcome.answer.baseline_usd
    if single is None:
        return dollars(spent)
    return f"{dollars(spent)}; the best single model alone is expected to cost {dollars(single)}"


def _pool(plan: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("candidate", no_wrap=True)
    for column in ("right", "cost", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("rests on")
    for each in plan.candidates:
        seconds = "unknown" if each.latency_s is None else f"{each.latency_s:.1f}"
        right = f"{each.quality:.0%} ± {each.quality_sd:.0%}"
        table.add_row(each.model, right, dollars(each.cost_usd), seconds, each.basis)
    return table
