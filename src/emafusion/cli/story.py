"""Explanations and decisions as a person reads them."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.domain.evidence import CallStep, JudgeStep, Plan
from emafusion.domain.outcome import Outcome
from emafusion.gateway.explanation import Explanation

VIEWS = {
    "taxonomy": "what is known of each model on this class of query decides",
    "learned": "what was learned from similar queries decides",
    "prior": "no recorded answers: price, family and size decide",
    "direct": "the client named the model",
}
"""Route -> what it means."""


def show_explanation(console: Console, plan: Explanation) -> None:
    """Print a plan and everything it rests on."""
    labels = ", ".join(f"{x.label} {x.probability:.0%}" for x in plan.labels)
    _line(console, "query", labels)
    _line(console, "familiar", f"{plan.familiarity:.0%}; {VIEWS.get(plan.route, plan.route)}")
    _line(console, "objective", f"quality_weight {plan.quality_weight:g}")
    console.print("")
    console.print(_pool(plan))
    for name, reason in plan.excluded.items():
        console.print(Text(f"left out: {name}, {reason}", style="dim"))
    console.print("")
    _line(console, "plan", ", then if need be ".join([plan.first, *plan.then]))
    _line(console, "why", plan.reason)
    if plan.quality is not None:
        cost = dollars(plan.cost_usd)
        _line(console, "expected", f"{plan.quality:.0%} right for {cost}, as a mean over such")


def show_decision(console: Console, outcome: Outcome) -> None:
    """Print what was done for a query: steps and why, calls, judgements, what it cost."""
    answer, evidence = outcome.answer, outcome.answer.evidence
    for number, plan in enumerate(answer.plans, start=1):
        console.print(f"{number}. {_done(plan)}: {plan.reason}")
    for attempt, confidence in zip(evidence.attempts, evidence.confidences, strict=True):
        sure = "" if confidence is None else f", confidence {confidence:.2f}"
        came = f"answered{sure}" if attempt.failure is None else str(attempt.failure)
        money = f"{attempt.latency_s:.2f} s, {dollars(attempt.cost_usd)}"
        console.print(Text(f"   {attempt.candidate}: {one_line(came)}; {money}", style="dim"))
    for judgement in evidence.judgements:
        value = "abstains" if judgement.value is None else f"{judgement.value:.2f}"
        name = evidence.attempts[judgement.attempt].candidate
        verdict = f", {one_line(judgement.verdict)}" if judgement.verdict else ""
        console.print(Text(f"   {judgement.judge} on {name}: {value}{verdict}", style="dim"))
    console.print(Text(summary(outcome), style="bold"))


def summary(outcome: Outcome) -> str:
    """One line: who answered, by which route, how sure, for how much, how fast."""
    answer, evidence = outcome.answer, outcome.answer.evidence
    sure = "" if answer.confidence is None else f", confidence {answer.confidence:.2f}"
    looks = len(evidence.attempts)
    calls = f"{looks} call{'s' if looks > 1 else ''}"
    money = f"{dollars(evidence.cost_usd)}, {outcome.latency_s:.2f} s"
    return f"{answer.candidate} ({answer.route}{sure}), {calls}, {money}, {outcome.decision_id}"


def _done(plan: Plan) -> str:
    match plan.step:
        case CallStep():
            return f"call {plan.step.candidate}"
        case JudgeStep():
            return f"judge by {', '.join(plan.step.judges)}"
        case _:
            return "stop"


def _line(console: Console, name: str, told: str) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=9, style="dim")
    table.add_column()
    table.add_row(name, told)
    console.print(table)


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
