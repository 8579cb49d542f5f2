"""`emafusion log`: lists, one decision, sums, following, and what it says to mistakes."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome

from emafusion.cli import main
from emafusion.cli.log_list import show_rows
from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.evidence import Evidence
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import ToolCall
from emafusion.store.log import OutcomeLog
from emafusion.store.read import LogReader
from emafusion.store.texts import Prompts

NOW = datetime.now(UTC).timestamp()


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def fill(home: Path, *given: Outcome, prompts: Prompts = "full") -> Path:
    """Write outcomes into the log of a home folder."""
    path = home / "log.sqlite"

    async def append() -> None:
        log = OutcomeLog.open(path, prompts=prompts)
        for each in given:
            await log.append(each)
        await log.close()

    asyncio.run(append())
    return path


@pytest.fixture
def three(emafusion_home: Path) -> Path:
    """A log of three: accepted, escalated, failed; the newest last."""
    return fill(
        emafusion_home,
        outcome("em-first1", created_at=NOW - 3, prompt="What is 2 + 2?"),
        outcome("em-second", created_at=NOW - 2, prompt="Six times 7?", given=escalated_answer()),
        outcome("em-third3", created_at=NOW - 1, prompt="Hello\x1b[31m", given=failed_answer()),
    )


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `emafusion log` with arguments."""

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["emafusion", "log", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        read = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, read.out, read.err)

    return run


@pytest.mark.usefixtures("three")
def test_the_list_is_newest_first_with_everything_on_a_line(log: Run) -> None:
    """Where the output is no terminal it is wide, and has no colours."""
    ran = log()
    header, *lines = ran.out.splitlines()
    expected = "id time model route looks conf cost saved took prompt"
    assert header.split() == expected.split()
    assert [line.split()[0] for line in lines] == ["third3", "second", "first1"]
    assert "503 overloaded" in lines[0]
    assert lines[1].split()[2:5] == ["large", "learned", "2"]
    assert "What is 2 + 2?" in lines[2]
    assert "\x1b" not in ran.out
    assert (ran.code, ran.err) == (0, "")


def test_a_narrow_terminal_gets_the_columns_that_fit(three: Path) -> None:
    """At 80 columns every line fits, and what matters most is there."""
    written = io.StringIO()
    with LogReader(three) as reader:
        show_rows(
            Console(width=80, file=written),
            reader.rows(),
            now=datetime.fromtimestamp(NOW, tz=UTC),
        )
    lines = written.getvalue().splitlines()
    assert lines[0].split() == ["id", "time", "model", "conf", "cost", "took", "prompt"]
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("three")
def test_one_decision_is_told_in_full(log: Run) -> None:
    """Query, what was known, steps with reasons, attempts, judgements, answer, cost."""
    story = log("second").out
    for told in (
        "em-second",
        "Six times 7?",
        "83%, so the learned view decided",
        "61% ± 8%",
        "taxonomy: 431 outcomes",
        "try the cheap one",
        "not convincing",
        "It is 41.",
        "12 + 7 tokens (4 cached), $0.00002, 0.40 s, first token after 0.10 s, confidence 0.30",
        "does not add up",
        "It is 42.",
        "large, confidence 0.95, propensity 0.9",
        "the best single model would have cost $0.0041: saved $0.00008 (2%)",
    ):
        assert told in story
    assert story.count("It is 42.") == 1


@pytest.mark.usefixtures("three")
def test_a_failure_is_told_with_its_reason(log: Run) -> None:
    """What failed, how, and that the client named the model."""
    story = log("third3").out
    assert "large: overloaded (HTTP 503), $0, 0.02 s" in story
    assert "failed     overloaded: busy" in story
    assert "direct: the client named the model" in story


@pytest.mark.usefixtures("three")
def test_texts_of_others_cannot_reach_the_terminal(log: Run) -> None:
    """An escape sequence in a prompt is shown, not obeyed."""
    assert "\x1b" not in log().out + log("third3").out
    assert "Hello\ufffd[31m" in log("third3").out


@pytest.mark.usefixtures("three")
def test_json_is_one_whole_request_a_line(log: Run) -> None:
    """With every field by its name."""
    lines = [json.loads(line) for line in log("--json").out.splitlines()]
    assert [line["decision_id"] for line in lines] == ["em-third3", "em-second", "em-first1"]
    second = lines[1]
    assert second["pool"][0]["candidate"] == "small"
    assert second["labels"]["task"] == {"label": "11", "probability": 0.7}
    assert second["plans"][0]["propensity"] == 0.9
    assert second["attempts"][1]["usage"]["prompt_tokens"] == 12
    assert (second["answer"], second["tags"]) == ("It is 42.", {"team": "blue"})
    one = json.loads(log("em-second", "--json").out)
    assert one.pop("signals"), "of one decision it is told how each confidence came about"
    assert one == second


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--escalated"], ["second"]),
        (["--failed"], ["third3"]),
        (["--candidate", "small"], ["first1"]),
        (["--status", "200", "--max-confidence", "0.92"], ["first1"]),
        (["--text", "TIMES"], ["second"]),
        (["--since", "1h", "--route", "direct"], ["third3"]),
        (["--until", "yesterday"], []),
        (["--limit", "0"], ["third3", "second", "first1"]),
    ],
)
@pytest.mark.usefixtures("three")
def test_options_are_conditions(log: Run, options: list[str], expected: list[str]) -> None:
    """All must hold; nothing found is said on standard error."""
    ran = log(*options)
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == expected
    assert bool(ran.err) == (not expected)
    assert ran.code == 0


@pytest.mark.usefixtures("three")
def test_a_limit_says_how_much_there_is(log: Run) -> None:
    """On standard error, so that the result stays the result."""
    ran = log("-n", "1")
    assert len(ran.out.splitlines()) == 2
    assert ran.err == "1 of 3 requests; --limit 0 shows all\n"


@pytest.mark.usefixtures("three")
def test_totals_are_told_and_counted(log: Run) -> None:
    """Sums with what they are over, shares by model and route."""
    told = log("--totals").out
    assert "requests   3, 1 escalated, 1 failed" in told
    assert "$0.00404" in told
    assert "saved      $0.00406 (50%) against $0.0081 by the best single model" in told
    assert json.loads(log("--totals", "--json", "--failed").out)["requests"] == 1
    assert log("--totals", "--route", "nowhere").out.splitlines()[0].startswith("requests   0")


def test_hashed_prompts_say_so(emafusion_home: Path, log: Run) -> None:
    """A log without texts can still be read."""
    fill(emafusion_home, outcome("em-1", given=answer("secret")), prompts="hash")
    assert "(hashed)" in log().out
    story = log("em-1").out
    assert story.count("(only its hash is kept)") == 2
    assert "secret" not in story


def test_tool_calls_are_answers(emafusion_home: Path, log: Run) -> None:
    """Where the answer is a tool call, the call is shown."""
    call = ToolCall(id="c", name="weather", arguments='{"city": "Oslo"}')
    choice = Choice(tool_calls=(call,), finish_reason="tool_calls")
    attempt = Attempt(candidate="small", reply=Reply(choices=(choice,), model="m"))
    evidence = Evidence(attempts=(attempt,), confidences=(0.9,), groups=(0,))
    called = structs.replace(answer(), reply=attempt.reply, evidence=evidence)
    fill(emafusion_home, outcome("em-1", given=called))
    assert 'answer     -> weather({"city": "Oslo"})' in log("em-1").out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nobody"], "DECISION_ID: no decision 'nobody' in "),
        (["em-"], "several decisions begin with em-, give more of it"),
        (["--since", "soon"], "--since: must be a time such as 2026-11-25"),
        (["--until", "2026-13-01"], "--until: must be a time such as"),
        (["em-first1", "--failed"], "--failed: does not go with a DECISION_ID"),
        (["em-first1", "--min-confidence", "0"], "--min-confidence: does not go with"),
        (["--totals", "--follow"], "--follow: does not go with --totals"),
        (["--totals", "-n", "3"], "--limit: does not go with --totals"),
        (["--min-confidence", "3"], "'--min-confidence': 3.0 is not in the range 0<=x<=1"),
        (["--home", "/nowhere"], "/nowhere/log.sqlite: no log here yet; `emafusion serve`"),
        (["--file", "/nowhere.sqlite"], "/nowhere.sqlite: no log here yet"),
        (["--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
    ],
)
@pytest.mark.usefixtures("three")
def test_mistakes_end_with_one_line_and_code_2(log: Run, arguments: list[str], line: str) -> None:
    """What, where, and what would be right; nothing on standard output."""
    ran = log(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("emafusion: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1


def test_a_file_that_is_no_log_is_one_line(tmp_path: Path, log: Run) -> None:
    """Another program's file is not read as a log."""
    path = tmp_path / "notes"
    path.write_text("not a database, but quite some text " * 10)
    ran = log("--file", str(path))
    assert ran.code == 1
    assert ran.err == f"emafusion: {path}: cannot read the log: file is not a database\n"


def test_the_config_here_says_where_the_log_is(
    tmp_path: Path, log: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `serve` in the same folder would; --home and --file come first."""
    elsewhere = fill(tmp_path / "elsewhere", outcome("em-1there"))
    (tmp_path / "emafusion.yaml").write_text(f"log:\n  path: {elsewhere}\n")
    monkeypatch.chdir(tmp_path)
    assert "1there" in log().out
    assert log("--home", str(tmp_path)).code == 2


def test_following_shows_what_comes_as_it_comes(emafusion_home: Path) -> None:
    """First what there is, then each new request, until interrupted."""
    path = fill(emafusion_home, outcome("em-1"))
    code = "from emafusion.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "log", "--follow", "--json", "--file", str(path)],
        stdout=subprocess.PIPE,
        env=dict(os.environ),
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["decision_id"] == "em-1"
        fill(emafusion_home, outcome("em-2"))
        assert json.loads(process.stdout.readline())["decision_id"] == "em-2"
        process.terminate()
