"""Explanations and decisions as a person reads them."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.cli.money import dollars
from emafusion.domain.outcome import Outcome
from emafusion.gateway.explanation import Explanation, told


def show_explanation(console: Console, plan: Explanation) -> None:
    """Print a plan and everything it rests on."""
    labels = ", ".join(f"{x.label} {x.probability:.0%}" for x in plan.labels)
    console.print(f"query      {labels}")
    console.print(f"familiar   {plan.familiarity:.0%}, so the {plan.route} view decides")
    console.print(f"objective  quality_weight {plan.quality_weight:g}\n")
    console.print(_pool(plan))
    for name, reason in plan.excluded.items():
        console.print(Text(f"left out   {name}: {reason}", style="dim"))
    console.print(f"\nplan       {' -> '.join([plan.first, *plan.then])}")
    console.print(f"why        {plan.reason}")
    console.print(f"expected   {_share(plan.quality)} right for {dollars(plan.cost_usd)}")


def show_decision(console: Console, outcome: Outcome) -> None:
    """Print what was done for a query, step by step, and what it cost."""
    answer = outcome.answer
    for plan in answer.plans:
        console.print(f"  {told(plan.step):<34} {plan.reason}")
    for judgement in answer.evidence.judgements:
        value = "abstains" if judgement.value is None else f"{judgement.value:.2f}"
        name = answer.evidence.attempts[judgement.attempt].candidate
        console.print(Text(f"  {judgement.judge} on {name}: {value}  {judgement.verdict}", "dim"))
    console.print(Text(summary(outcome), style="bold"))


def summary(outcome: Outcome) -> str:
    """One line: who answered, by which route, how sure, for how much, how fast."""
    answer, evidence = outcome.answer, outcome.answer.evidence
    sure = "" if answer.confidence is None else f", confidence {answer.confidence:.2f}"
    looks = len(evidence.attempts)
    return (
        f"{answer.candidate} ({answer.route}{sure}), {looks} call{'s' if looks > 1 else ''}, "
        f"{dollars(evidence.cost_usd)}, {outcome.latency_s:.2f} s  {outcome.decision_id}"
    )


def _pool(plan: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("candidate", "right", "cost", "seconds", "rests on"):
        table.add_column(column, justify="right" if column in {"cost", "seconds"} else "left")
    for each in plan.candidates:
        seconds = "unknown" if each.latency_s is None else f"{each.latency_s:.1f}"
        right = f"{each.quality:.0%} ± {each.quality_sd:.0%}"
        table.add_row(each.model, right, dollars(each.cost_usd), seconds, each.basis)
    return table


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
