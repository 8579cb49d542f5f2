"""A stream in which nothing comes for a while is kept alive, in each API's own way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from emafusion.domain.attempt import Delta
from emafusion.domain.model import Objective
from emafusion.domain.query import ask
from emafusion.gateway.chat import CHAT
from emafusion.gateway.face import Face
from emafusion.gateway.generate import GENERATE, GenerateFace
from emafusion.gateway.http import Headers, Response
from emafusion.gateway.messages import MESSAGES
from emafusion.gateway.service import Asked
from emafusion.gateway.stream import Stream


class Kept:
    """A client that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.started = self.congested = False

    def respond(self, _response: Response, /) -> None:
        """Nothing comes whole here."""

    def start(self, _headers: Headers, /) -> None:
        """Begin."""
        self.started = True

    def write(self, data: bytes, /) -> None:
        """Keep a piece."""
        self.got.append(data)

    def finish(self) -> None:
        """It is over."""

    async def drained(self) -> None:
        """Never behind."""


@pytest.mark.parametrize(
    ("face", "skipped"),
    [
        (CHAT, b": "),
        (MESSAGES, b"event: ping"),
        (GENERATE, b": "),
        (GenerateFace(events=False), b"\n"),
    ],
)
async def test_only_silence_is_filled(face: Face, skipped: bytes) -> None:
    """Before the first word and between two, but not where something was just said."""
    client, loop = Kept(), asyncio.get_running_loop()
    asked = Asked(query=ask("Hi"), objective=Objective())
    stream = Stream(asked, client, face=face, created=0, dropped=lambda _query, _name: "")
    with stream.kept_alive():
        stream._wait(loop)
        await stream.live(Delta(text="Hi"))
        said = len(client.got)
        stream._wait(loop)
        assert len(client.got) == said == 2
        stream._wait(loop)
    assert client.got[0].startswith(skipped)
    assert client.got[2] == client.got[0]


async def test_a_named_model_has_time_to_fail_by_its_status() -> None:
    """Nothing is held back there, so nothing leaves before it speaks or ten seconds are over."""
    client, loop = Kept(), asyncio.get_running_loop()
    due: list[float] = []
    for requested in ("auto", "one"):
        asked = Asked(query=replace(ask("Hi"), requested=requested), objective=Objective())
        stream = Stream(asked, client, face=CHAT, created=0, dropped=lambda _query, _name: "")
        with stream.kept_alive():
            due.append(round(stream._timer.when() - loop.time()))
    assert due == [2, 10]
