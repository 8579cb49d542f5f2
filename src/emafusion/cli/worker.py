"""One worker of a gateway: `python -m emafusion.cli.worker FD`, started by `emafusion serve`.

It answers on the socket that it was given, and obeys the line to its parent alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import msgspec

from emafusion.build.local_models import GivenModels
from emafusion.build.opening import Opened
from emafusion.build.standing import Standing
from emafusion.cli.generations import Generations, Place
from emafusion.cli.loop import run
from emafusion.cli.printable import one_line
from emafusion.cli.welcome import Welcome, address_url, welcome
from emafusion.config import Config
from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.gateway.workers.control import (
    Begin,
    Line,
    Message,
    Places,
    Renew,
    Renewed,
    Say,
    Telling,
    line_over,
)
from emafusion.gateway.workers.sockets import address_of, inherited
from emafusion.gateway.workers.telling import LineShared


def main() -> None:
    """Work until told to end; exit code 0 = done, 1 = failed, 2 = bad input."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(each, signal.SIG_IGN)
    try:
        run(_work(int(sys.argv[1])))
    except EmafusionError as error:
        for line in str(error).splitlines():
            print(f"emafusion: {one_line(line)}", file=sys.stderr)
        sys.exit(2 if isinstance(error, BadInput) else 1)


async def _work(number: int) -> None:
    line = await line_over(inherited(number))
    begin, places = await line.receive(), await line.receive()
    if not isinstance(begin, Begin) or not isinstance(places, Places):
        return  # the parent is gone already
    at_work = _AtWork(begin, line)
    at_work.obey(places)
    await at_work.generations.begin(_config(begin.config))
    line.send(Say(what="ready"))
    obeying = asyncio.ensure_future(at_work.listen())
    await at_work.generations.over()
    obeying.cancel()


class _AtWork:
    """A worker and what it is told."""

    def __init__(self, begin: Begin, line: Line) -> None:
        self._begin = begin
        self._line = line
        self._models = GivenModels()
        self._shared = LineShared(line)
        self._listener = inherited(begin.socket)
        self._tasks = set[asyncio.Task[None]]()
        admin = begin.admin_socket
        self.generations = Generations(
            Place(
                listener=self._listener,
                env=os.environ,
                admin=None if admin is None else inherited(admin),
                standing=Standing(leads=begin.leads, shared=self._shared, models=self._models),
            )
        )

    async def listen(self) -> None:
        """Do what the parent says; end when it is gone."""
        while (message := await self._line.receive()) is not None:
            self.obey(message)
        self.generations.stop()

    def obey(self, message: Message) -> None:
        """Do one thing that the parent says."""
        match message:
            case Places():
                for place in message.places:
                    self._models.named(place.name).told(
                        url=place.base_url,
                        api_key=place.api_key,
                        state=place.state,
                        reason=place.reason,
                    )
            case Renew():
                renewing = asyncio.ensure_future(self._renew(message))
                self._tasks.add(renewing)
                renewing.add_done_callback(self._tasks.discard)
            case Telling():
                self._shared.heard(message.event)
            case Say():
                self._say(message)
            case _:
                pass

    def _say(self, message: Say) -> None:
        if message.what == "stop":
            self.generations.stop()
        elif message.what == "reread":
            self.generations.reread()
        elif (gateway := self.generations.gateway) is not None:
            self._welcome(gateway)

    async def _renew(self, message: Renew) -> None:
        refused = None
        try:
            await self.generations.begin(_config(message.config))
        except EmafusionError as error:
            refused = str(error)
        self._line.send(Renewed(number=message.number, refused=refused))

    def _welcome(self, gateway: Opened) -> None:
        config = self.generations.config
        welcome(
            Welcome(
                url=address_url(*address_of(self._listener)),
                source=self._begin.source,
                needs_key=config is not None and config.gateway.needs_keys,
            ),
            gateway,
        )


def _config(raw: msgspec.Raw) -> Config:
    return msgspec.json.decode(raw, type=Config)


if __name__ == "__main__":
    main()
