"""`emafusion ask`, `emafusion explain`: the answer on one stream, how it came on the other."""

from __future__ import annotations

import json
import signal
import time

import pytest
from tests.cli.running import Shell
from tests.gateway.provider import Provider


def test_the_answer_and_nothing_else_is_on_standard_output(
    shell: Shell, provider: Provider
) -> None:
    """Who gave it, how sure, for how much and its id are one line on standard error."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    done = shell.run("ask", "What is the capital of Norway?")
    assert (done.code, done.out) == (0, "Oslo\n")
    (line,) = done.err.splitlines()
    assert "confidence" in line
    assert " call" in line
    assert "$" in line
    assert "em-" in line


def test_a_live_answer_comes_once(shell: Shell, provider: Provider) -> None:
    """A model that is named is streamed as it comes, with one newline at the end."""
    provider.script = {"dear": "It is Oslo"}
    assert shell.run("ask", "Where?", "--model", "dear").out == "It is Oslo\n"


def test_standard_input(shell: Shell, provider: Provider) -> None:
    """With - the question is read, newlines within and all."""
    shell.run("ask", "-", "--model", "dear", stdin=b"What is\n2 + 2?\n")
    assert provider.seen[-1]["messages"][-1]["content"] == "What is\n2 + 2?"


def test_json(shell: Shell, provider: Provider) -> None:
    """The text and the facts that the gateway's headers tell, as one object."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    done = shell.run("ask", "What is the capital of Norway?", "--json")
    told = json.loads(done.out)
    assert told["text"] == "Oslo"
    assert {"decision_id", "model", "route", "attempts", "cost_usd"} <= set(told["emafusion"])
    assert not done.err


def test_the_decision_is_told_in_order(shell: Shell, provider: Provider) -> None:
    """Before: labels, pool, plan. After: each step with its reason, what judges said, the cost."""
    provider.script = {"cheap": "It is Oslo, I think.", "dear": "Oslo"}
    done = shell.run("ask", "What is the capital of Norway?", "--explain", "--quality-weight", "1")
    told = done.err
    names = ["query", "familiar", "objective", "candidate", "plan", "because", "expected", "step 1"]
    names += ["answer by", "cost", "took", "decision"]
    places = [told.index(f"\n{name}") if name != "query" else 0 for name in names]
    assert places == sorted(places)
    assert "rules " in told
    assert "the best single model alone is expected to cost $" in told
    assert "tokens; " in told


def test_a_failure_is_one_line(shell: Shell, provider: Provider) -> None:
    """Where nobody answers, why; exit code 1, nothing on standard output."""
    provider.script = {"cheap": "status:400", "dear": "status:400"}
    done = shell.run("ask", "Hi")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("emafusion: ")
    assert "as scripted" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_failed_call_is_part_of_the_story(shell: Shell, provider: Provider) -> None:
    """A call that failed is told with its reason, and the next one after it."""
    provider.script = {"cheap": "status:400", "dear": "Oslo"}
    done = shell.run("ask", "What is the capital of Norway?", "--explain", "--quality-weight", "0")
    assert done.out == "Oslo\n"
    assert "failed: " in done.err
    assert done.err.index("failed: ") < done.err.index("answered; ")


def test_interrupted(shell: Shell, provider: Provider) -> None:
    """Ctrl-C ends it by 130 without a word, cancels the call, and what was done is in the log."""
    provider.script = {"dear": "hang"}
    process = shell.start("ask", "Hi", "--model", "dear")
    until_seen(provider)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, "", "")
    assert provider.left.wait(5)
    assert '"status":499' in shell.run("log", "--json").out


def test_a_reader_that_leaves_ends_the_call(shell: Shell, provider: Provider) -> None:
    """As with any client that leaves: the call is cancelled and logged, nothing is said."""
    provider.script = {"dear": "slow:one two three four five six seven eight nine ten"}
    assert not shell.shell('"$0" -m emafusion ask Hi --model dear | true')
    assert provider.left.wait(5)
    assert '"status":499' in shell.run("log", "--json").out


def test_explain_calls_nobody(shell: Shell, provider: Provider) -> None:
    """The plan is on standard output; no model is called, and nothing is logged."""
    done = shell.run("explain", "What is the capital of Norway?")
    assert done.code == 0
    assert "quality_weight 0.6" in done.out
    assert not done.err
    assert not provider.seen
    assert "no log here yet" in shell.run("log").err


def test_explain_as_json(shell: Shell) -> None:
    """The same as an object."""
    told = json.loads(shell.run("explain", "Hi", "--json", "--quality-weight", "0.25").out)
    assert told["quality_weight"] == 0.25
    assert {each["model"] for each in told["candidates"]} == {"cheap", "dear"}


def test_explain_of_a_named_model(shell: Shell) -> None:
    """Where the question names its model, that is all there is to tell."""
    done = shell.run("explain", "Hi", "--model", "dear")
    assert "the client named the model" in done.out
    assert "familiar" not in done.out


def test_what_a_model_says_cannot_move_the_cursor(shell: Shell, provider: Provider) -> None:
    """Control characters are kept where the output is no terminal."""
    provider.script = {"dear": "red \x1b[31m alert"}
    assert shell.run("ask", "Hi", "--model", "dear").out == "red \x1b[31m alert\n"


def until_seen(provider: Provider) -> None:
    """Wait until a call has reached the provider."""
    for _ in range(400):
        if provider.seen:
            return
        time.sleep(0.05)
    pytest.fail("nobody called")
