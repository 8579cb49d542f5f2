"""What keeps answers for several processes must hold beyond its signatures."""

from __future__ import annotations

import asyncio

from emafusion.store.answers.ports import Answers, Entry

LONG_S = 600.0


async def check_answers(answers: Answers, other: Answers | None = None) -> None:
    """Check two that share an empty store (or one): what one keeps or claims the other sees."""
    other = other or answers
    await _check_values(answers, other)
    await _check_claims(answers, other)
    await _check_together(answers, other)


async def _check_values(answers: Answers, other: Answers) -> None:
    name, value = b"value", bytes(range(256)) * 10
    assert await answers.find(name) is None
    await answers.keep(name, _made(value), lasts_s=LONG_S)
    assert await other.find(name) == value
    await other.keep(name, _made(b"later"), lasts_s=LONG_S)
    assert await answers.find(name) == b"later"
    await answers.keep(name, _made(b"gone"), lasts_s=0.001)
    await asyncio.sleep(0.01)
    assert await other.find(name) is None


async def _check_claims(answers: Answers, other: Answers) -> None:
    name, one, two = b"claim", Entry(request=b"q", worker="one"), Entry(request=b"p", worker="two")
    assert await answers.claim(name, one, lasts_s=LONG_S) == one
    assert await other.claim(name, two, lasts_s=LONG_S) == one
    assert await other.find(name) is None
    assert not await other.hold(name, "two", lasts_s=LONG_S)
    assert await answers.hold(name, "one", lasts_s=LONG_S)
    await other.free(name, "two")
    assert await other.claim(name, two, lasts_s=LONG_S) == one
    await answers.free(name, "one")
    assert await other.claim(name, two, lasts_s=LONG_S) == two
    assert await other.hold(name, "two", lasts_s=0.001)
    await asyncio.sleep(0.01)
    assert await answers.claim(name, one, lasts_s=LONG_S) == one
    assert not await other.hold(name, "two", lasts_s=LONG_S)
    done = Entry(request=b"q", worker="one", value=b"\0answer")
    await answers.keep(name, done, lasts_s=LONG_S)
    assert await other.claim(name, two, lasts_s=LONG_S) == done
    await answers.free(name, "one")
    assert not await answers.hold(name, "one", lasts_s=LONG_S)
    assert await other.find(name) == b"\0answer"


async def _check_together(answers: Answers, other: Answers) -> None:
    """Of many that claim a name at once one gets it, and all know which."""
    claims = [Entry(request=b"q", worker=f"w{n}") for n in range(20)]
    got = await asyncio.gather(
        *[
            (answers, other)[n % 2].claim(b"many", claim, lasts_s=LONG_S)
            for n, claim in enumerate(claims)
        ]
    )
    assert len({each.worker for each in got}) == 1


def _made(value: bytes) -> Entry:
    return Entry(request=b"", worker="", value=value)
