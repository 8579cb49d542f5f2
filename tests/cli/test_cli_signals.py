"""How a decision came about, as the command line tells it: now, and from the log."""

from __future__ import annotations

import io
import json

import pytest
from msgspec import structs
from rich.console import Console
from tests.cli.running import Shell
from tests.gateway.provider import Provider
from tests.store.outcomes import outcome, said

from emafusion.cli.story import show_decision
from emafusion.domain.outcome import Outcome

ASKED = ("ask", "What is the capital of Norway?", "--quality-weight", "1")


def test_every_signal_is_told_with_what_it_changed(shell: Shell, provider: Provider) -> None:
    """After the steps a row for each signal; the last one ends at the confidence."""
    provider.script = {"cheap": "It is Oslo, I think.", "dear": "Oslo"}
    told = shell.run(*ASKED, "--explain").err
    head = next(line for line in told.splitlines() if line.startswith("signals"))
    assert head.split()[1:] == [
        "answer", "of", "signal", "says", "weighs", "before", "after", "cost",
    ]  # fmt: skip
    assert "predicted quality" in told
    last = told[told.index("signals") :].splitlines()
    assert "answer by" in "".join(last)


def test_the_log_tells_the_same(shell: Shell, provider: Provider) -> None:
    """`log ID` has the table too, and its JSON every field by its name."""
    provider.script = {"cheap": "It is Oslo, I think.", "dear": "Oslo"}
    asked = shell.run(*ASKED, "--json")
    decision = json.loads(asked.out)["emafusion"]["decision_id"]
    shown = shell.run("log", decision)
    assert "predicted quality" in shown.out
    assert "artifact of now" not in shown.out, "it is the one that decided"
    record = json.loads(shell.run("log", decision, "--json").out)
    signals = record["signals"]
    assert signals[0]["name"] == "predicted"
    assert {"attempt", "value", "weight", "before", "after", "cost_usd"} <= set(signals[0])
    ends = {each["attempt"]: each["after"] for each in signals}
    for number, attempt in enumerate(record["attempts"]):
        assert ends[number] == pytest.approx(attempt["confidence"], abs=1e-4)


def test_fusion_is_told_by_who_took_part(shell: Shell, provider: Provider) -> None:
    """Several at once are one step; who gave the answer is named, now and in the log."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    told = shell.run("ask", "What is the capital of Norway?", "--model", "emafusion/fusion",
                     "--explain").err  # fmt: skip
    assert "step 1     call " in told
    assert " at once" in told
    assert "answer by  the equal answer of " in told
    shown = shell.run("log", "--json")
    decision = json.loads(shown.out.splitlines()[0])["decision_id"]
    assert "the equal answer of " in shell.run("log", decision).out


def test_a_call_to_label_has_its_line() -> None:
    """Whoever was asked what the query is stands before the first step, with what it took."""
    made = outcome()
    evidence = structs.replace(made.answer.evidence, labelled=(said("small", "{}"),))
    told = shown(structs.replace(made, answer=structs.replace(made.answer, evidence=evidence)))
    assert "asked" in told
    assert "small what the query is: answered; 12 + 7 tokens" in told
    assert told.index("asked") < told.index("step 1")


def shown(made: Outcome) -> str:
    """A decision as it is printed."""
    out = io.StringIO()
    show_decision(Console(file=out, width=200), made)
    return out.getvalue()
