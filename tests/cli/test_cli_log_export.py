"""`emafusion log --export`: what was asked for, in a file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.cli.running import Shell
from tests.store.outcomes import escalated_answer, outcome

from emafusion.store.log import OutcomeLog


def test_what_the_conditions_choose_is_written_and_nothing_beside(
    empty: Shell, tmp_path: Path
) -> None:
    """How many is told on standard error; what does not go together is refused."""

    async def fill() -> None:
        log = OutcomeLog.open(tmp_path / "log.sqlite")
        await log.append(outcome("em-1"))
        await log.append(outcome("em-2", given=escalated_answer()))
        await log.close()

    asyncio.run(fill())
    name = str(tmp_path / "log.sqlite")
    done = empty.run("log", "--file", name, "--escalated", "--export", "out.jsonl")
    assert (done.code, done.out, done.err) == (0, "", "1 requests in out.jsonl\n")
    line = json.loads((empty.folder / "out.jsonl").read_text())
    assert (line["decision_id"], line["escalated"]) == ("em-2", True)
    again = empty.run("log", "--file", name, "--export", "out.jsonl")
    assert (again.code, again.err) == (
        2,
        "emafusion: out.jsonl: is there already; name another file\n",
    )
    both = empty.run("log", "--file", name, "--export", "b.jsonl", "--totals")
    assert both.code == 2
    assert "--totals: does not go with --export" in both.err
