"""The operator's checker: what it is given, and that nothing of it is left behind."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from emafusion.build.checking import CHECKER, checker_upstreams
from emafusion.config import FusionSection
from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call
from emafusion.domain.errors import Garbled, Rejected, Unready
from emafusion.domain.query import ask
from emafusion.upstream.checker import MAX_SAID, CheckerUpstream


def checked(code: str, prompt: str = "{}", *, within_s: float = 20.0) -> Attempt:
    """What a checker written in Python says to this prompt."""

    async def send() -> Attempt:
        upstream = CheckerUpstream((sys.executable, "-c", code))
        async with asyncio.timeout(within_s):
            return await upstream.send(Call(candidate=CHECKER, query=ask(prompt)))

    return asyncio.run(send())


def test_it_gets_the_work_and_its_report_comes_back() -> None:
    """Standard input to standard output, for nothing."""
    said = checked("import sys; print(sys.stdin.read().upper())", '{"a": "b"}')
    assert said.reply is not None
    assert said.reply.text.strip() == '{"A": "B"}'
    assert said.cost_usd == 0.0


def test_it_sees_no_secret_and_an_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of a provider is in its environment, nothing of the gateway where it runs."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = "import json, os; print(json.dumps([sorted(os.environ), os.listdir('.')]))"
    said = checked(code)
    assert said.reply is not None
    names, files = json.loads(said.reply.text)
    assert set(names) <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"}
    assert files == []


def test_it_need_not_read_its_input() -> None:
    """A checker that ends at once is heard, however much it was given."""
    said = checked("print('{}')", "x" * 2_000_000)
    assert said.reply is not None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("raise SystemExit(3)", Rejected),
        (f"print('x' * {MAX_SAID + 1})", Garbled),
    ],
)
def test_what_goes_wrong_is_a_value(code: str, kind: type[Exception]) -> None:
    """A checker that fails or floods is a failed call, and no report."""
    assert isinstance(checked(code).failure, kind)


def test_a_program_that_is_not_there_is_a_value() -> None:
    """Gone since the start: a failed call."""

    async def send() -> Attempt:
        upstream = CheckerUpstream(("/nowhere/checker",))
        return await upstream.send(Call(candidate=CHECKER, query=ask("{}")))

    assert isinstance(asyncio.run(send()).failure, Rejected)


def test_it_dies_with_its_children_when_time_is_up(tmp_path: Path) -> None:
    """Out of time: it and what it started are killed, and nobody waits for them."""
    beat = tmp_path / "beat"
    write = f"open({str(beat)!r}, 'w').write(str(time.time()))"
    child = f"import time\nwhile True:\n {write}\n time.sleep(.02)"
    start = f"subprocess.Popen([sys.executable, '-c', {child!r}])"
    code = f"import subprocess, sys, time; {start}; time.sleep(60)"
    started = time.perf_counter()
    with pytest.raises(TimeoutError):
        checked(code, within_s=1.0)
    assert time.perf_counter() - started < 10
    last = beat.read_text() if beat.exists() else ""
    time.sleep(0.15)
    assert (beat.read_text() if beat.exists() else "") == last, "the child is still alive"


@pytest.mark.parametrize(
    "command", [("checker.sh",), ("/nowhere/checker",), (str(Path(__file__)),)]
)
def test_a_checker_that_cannot_be_run_is_told_at_the_start(command: tuple[str, ...]) -> None:
    """Before anything listens: one line with the key."""
    with pytest.raises(Unready, match=r"fusion\.checker"):
        checker_upstreams(FusionSection(checker=command))
