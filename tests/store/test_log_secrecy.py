"""What must not be in the file is not in the file, its write-ahead log included."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.store.outcomes import answer, failed, judged, outcome

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import Unauthorized
from emafusion.domain.evidence import Evidence
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Message, Origin, Query, Settings, TextPart, Tool, ToolCall
from emafusion.store.log import OutcomeLog
from emafusion.store.texts import Prompts, without_secrets

CANARY = "canary-a1b2c3d4"
KEY = "sk-proj-abcdefghijklmnop1234567890"


def telling() -> Outcome:
    """An outcome with the canary wherever a client's or a model's words may be."""
    call = ToolCall(id=CANARY, name=CANARY, arguments=f'{{"x": "{CANARY}"}}')
    choice = Choice(text=CANARY, tool_calls=(call,), refusal=CANARY, reasoning=CANARY)
    reply = Reply(choices=(choice, choice), model="small-2026", origin=_origin())
    evidence = Evidence(
        attempts=(Attempt(candidate="small", reply=reply), failed("large", f"no: {CANARY}")),
        judgements=(judged(0, 0.4, f"I read {CANARY}"),),
        confidences=(0.4, None),
        groups=(0, -1),
    )
    asked = Query(
        query_id="q",
        messages=(
            Message(role="system", parts=(TextPart(text=CANARY),)),
            Message(role="user", parts=(TextPart(text=f"Read {CANARY}"),), name=CANARY),
            Message(role="assistant", tool_calls=(call,)),
        ),
        tools=(Tool(name=CANARY, description=CANARY),),
        settings=Settings(stop=(CANARY,), tool_choice=f"tool:{CANARY}"),
        user=CANARY,
        origin=_origin(),
    )
    return replace(outcome(), query=asked, answer=replace(answer(), evidence=evidence, reply=reply))


def _origin() -> Origin:
    return Origin(dialect="openai", fields=(("messages", CANARY.encode()),))


async def bytes_after(folder: Path, given: Outcome, prompts: Prompts) -> bytes:
    """All bytes of all files, while the log is open and after it was closed."""
    log = OutcomeLog.open(folder / "log.sqlite", prompts=prompts)
    await log.append(given)
    while_open = everything(folder)
    await log.close()
    return while_open + everything(folder)


def everything(folder: Path) -> bytes:
    """Every file's bytes."""
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


async def test_hashed_prompts_leave_no_word_of_anyone(tmp_path: Path) -> None:
    """With `hash`, no text of a prompt, an answer, a verdict or a failure reaches the disk."""
    assert CANARY.encode() not in await bytes_after(tmp_path, telling(), "hash")


async def test_the_canary_would_be_found(tmp_path: Path) -> None:
    """With `full` the same search finds it: the test above can fail."""
    assert CANARY.encode() in await bytes_after(tmp_path, telling(), "full")


@pytest.mark.parametrize("prompts", ["full", "hash"])
async def test_keys_that_providers_quote_are_struck_out(tmp_path: Path, prompts: Prompts) -> None:
    """A refusal that repeats our key does not bring it into the log."""
    failure = Unauthorized(f"Incorrect API key provided: {KEY}. Find yours at the provider.")
    attempt = Attempt(candidate="large", failure=failure)
    evidence = Evidence(attempts=(attempt,), confidences=(None,), groups=(-1,))
    refused = replace(
        answer(), reply=None, failure=failure, attempt=None, evidence=evidence, plans=()
    )
    held = await bytes_after(tmp_path, replace(outcome(), answer=refused), prompts)
    assert KEY.encode() not in held
    assert (b"Find yours" in held) == (prompts == "full")


@pytest.mark.parametrize(
    "message",
    [
        "Incorrect API key provided: sk-ant-api03-AbCdEfGh-1234567890_x.",
        "bad token: gsk_A1b2C3d4E5f6G7h8",
        "header Authorization: Bearer 1234567890abcdef1234",
        "key=AIzaSyA-1234567890abcdefghij is not valid",
        "You passed sk-abc***************wxyz",
    ],
)
def test_keys_of_the_usual_forms_are_recognised(message: str) -> None:
    """Known beginnings, or whatever stands where a key stands."""
    struck = without_secrets(message)
    assert "***" in struck
    assert not any(part in struck for part in ("AbCd", "A1b2", "1234567890", "wxyz"))


def test_plain_words_are_left_alone() -> None:
    """A message without a key stays as it is."""
    message = "The model `gpt-5` does not exist or you do not have access to its task-list."
    assert without_secrets(message) == message
