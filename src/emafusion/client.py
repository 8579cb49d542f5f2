"""The library's face: the same decisions as the gateway's, in your own process.

    from emafusion import EmaFusion

    with EmaFusion.from_config("emafusion.yaml") as ema:
        print(ema.chat("What is the capital of Norway?").text)

Sync and async alike: the sync methods run the same coroutines on a loop in a thread of their own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from msgspec import json

from emafusion.build.discovery import find_pool
from emafusion.build.opening import opened
from emafusion.config import Config, parse
from emafusion.domain.attempt import Delta
from emafusion.domain.errors import BadInput
from emafusion.domain.outcome import Outcome
from emafusion.gateway.asking import objective_of
from emafusion.gateway.chat import reply_of
from emafusion.gateway.explanation import Explanation, planned
from emafusion.gateway.service import Asked, Service, new_decision_id
from emafusion.wire.openai import decode_query
from emafusion.wire.options import Options

__all__ = ["Answer", "EmaFusion", "Messages", "Options", "Wish"]

T = TypeVar("T")
Messages = str | Sequence[Mapping[str, object]]
"""A question, or messages as OpenAI's API has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    `model`: whose answer it is; `route`: how it was chosen; `confidence`: probability that it is
    acceptable, None where nobody judged; `cost_usd`: everything included, None where unknown;
    `outcome`: all of it, as it is in the log.
    """

    text: str
    model: str | None
    route: str
    confidence: float | None
    cost_usd: float | None
    decision_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one call asks for beyond its messages.

    `model`: `auto`, a profile or a model of the pool; `options`: the same as the body object
    `emafusion` of the HTTP API; `settings`: further fields of OpenAI's API, such as `temperature`.
    """

    model: str = "auto"
    options: Options = field(default_factory=Options)
    settings: Mapping[str, object] | None = None


class EmaFusion:
    """A pool and everything that decides, in this process.

    Use it as a context manager, sync or async; leaving it closes log, connections and local models.
    """

    def __init__(self, config: Config, *, env: Mapping[str, str] | None = None) -> None:
        self._config = config
        self._env = dict(os.environ if env is None else env)
        self._stack = AsyncExitStack()
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def from_config(cls, path: str | Path | None = None) -> Self:
        """Read a config file; without one a pool is found, as `emafusion serve` does.

        Raises `BadInput` for a file that cannot be read, `ConfigError` for one with mistakes.
        """
        if path is None:
            return cls(Config())
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot be read: {error}", where=str(path)) from error
        return cls(parse(text, source=str(path), env=os.environ))

    async def achat(self, messages: Messages, wish: Wish | None = None) -> Answer:
        """Answer. Raises `BadInput` for what cannot be asked, a `Failure` where nobody answered."""
        service, asked = self._asked(messages, wish or Wish())
        outcome = await service.answer(asked, service.run())
        return _answer(outcome)

    async def astream(self, messages: Messages, wish: Wish | None = None) -> AsyncIterator[str]:
        """Answer piece by piece: live where one model answers, at once where it was held back."""
        service, asked = self._asked(messages, wish or Wish(), stream=True)
        pieces: asyncio.Queue[str | None] = asyncio.Queue(maxsize=64)

        async def sink(delta: Delta) -> None:
            await pieces.put(delta.text)

        async def work() -> Outcome:
            try:
                return await service.answer(asked, service.run(sink=sink))
            finally:
                await pieces.put(None)

        task = asyncio.create_task(work())
        try:
            said = 0
            while (piece := await pieces.get()) is not None:
                said += len(piece)
                yield piece
            reply = reply_of(await task)
            if not said:
                yield reply.text
        finally:
            task.cancel()

    def chat(self, messages: Messages, wish: Wish | None = None) -> Answer:
        """Answer, and wait for it."""
        return self._wait(lambda: self.achat(messages, wish))

    def stream(self, messages: Messages, wish: Wish | None = None) -> Iterator[str]:
        """Answer piece by piece."""
        pieces = self.astream(messages, wish)
        try:
            while True:
                yield self._wait(lambda: anext(pieces))
        except StopAsyncIteration:
            return

    def explain(self, messages: Messages, wish: Wish | None = None) -> Explanation:
        """Plan without calling anybody."""
        service, asked = self._asked(messages, wish or Wish())
        return planned(service.task(asked), service.parts)

    async def __aenter__(self) -> Self:
        """Find the pool where the config has none, then open everything."""
        config = self._config
        if not config.models:
            config = (await find_pool(config, self._env)).config
        self._service = (await self._stack.enter_async_context(opened(config, self._env))).service
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything."""
        self._service = None
        await self._stack.aclose()

    def __enter__(self) -> Self:
        """Open everything on a loop in a thread of its own."""
        self._loop = asyncio.new_event_loop()
        work = self._loop.run_forever
        self._thread = threading.Thread(target=work, name="emafusion", daemon=True)
        self._thread.start()
        try:
            return self._wait(self.__aenter__)
        except BaseException:
            self._end_loop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything and end the thread."""
        try:
            self._wait(lambda: self.__aexit__(kind, error, trace))
        finally:
            self._end_loop()

    def _asked(
        self, messages: Messages, wish: Wish, *, stream: bool = False
    ) -> tuple[Service, Asked]:
        if self._service is None:
            raise BadInput("use it as a context manager: with EmaFusion.from_config() as ema: ...")
        turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        body = {**(wish.settings or {}), "model": wish.model, "messages": turns, "stream": stream}
        query = decode_query(json.encode(body), query_id=new_decision_id())
        service = self._service
        objective = objective_of(wish.options, service.objective, service.candidates)
        return service, Asked(query=query, objective=objective, session=wish.options.session)

    def _wait(self, work: Callable[[], Awaitable[T]]) -> T:
        if self._loop is None:
            raise BadInput("use it as a context manager: with EmaFusion.from_config() as ema: ...")

        async def waiting() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(waiting(), self._loop).result()

    def _end_loop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None


def _answer(outcome: Outcome) -> Answer:
    answer = outcome.answer
    return Answer(
        text=reply_of(outcome).text,
        model=answer.candidate,
        route=answer.route,
        confidence=answer.confidence,
        cost_usd=answer.evidence.cost_usd,
        decision_id=outcome.decision_id,
        outcome=outcome,
    )
