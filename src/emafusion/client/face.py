"""`EmaFusion`: a pool and everything that decides, in your own process."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, Unpack

from emafusion.build.discovery import find_pool
from emafusion.build.opening import opened
from emafusion.client.answer import Answer, answer_of
from emafusion.client.stream import AsyncStream, Stream
from emafusion.client.wishes import Messages, Wishes, asked_of
from emafusion.config import Config, parse
from emafusion.domain.errors import BadInput
from emafusion.gateway.explanation import Explanation, planned
from emafusion.gateway.service import Service

T = TypeVar("T")
_NOT_OPEN = "is not open: with EmaFusion.from_config() as ema: ..."


class EmaFusion:
    """Answers queries with the models of a config, or with what is found on this machine.

    It is a context manager, sync and async; leaving it closes log, connections and local models.
    Several may be open at once. The sync methods may be called from any thread; they run the same
    coroutines as the async ones, on a loop in a thread of its own.
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

        Raises `BadInput` for a file that cannot be read or has mistakes, and names all of them.
        """
        if path is None:
            return cls(Config())
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot be read: {error}", where=str(path)) from error
        return cls(parse(text, source=str(path), env=os.environ))

    def chat(self, messages: Messages, **wishes: Unpack[Wishes]) -> Answer:
        """Answer a question, or a conversation as OpenAI's API has it.

        Raises `BadInput` for what cannot be asked, a `Failure` where nobody answered.
        """
        return self._wait(lambda: self.achat(messages, **wishes))

    async def achat(self, messages: Messages, **wishes: Unpack[Wishes]) -> Answer:
        """Answer; see `chat`."""
        service = self._opened()
        asked = asked_of(messages, wishes, service, stream=False)
        run = service.run(timeout_s=asked.objective.max_latency_s)
        return answer_of(await service.answer(asked, run))

    def stream(self, messages: Messages, **wishes: Unpack[Wishes]) -> Stream:
        """Answer piece by piece; see `chat`."""
        return Stream(inner=self.astream(messages, **wishes), wait=self._wait)

    def astream(self, messages: Messages, **wishes: Unpack[Wishes]) -> AsyncStream:
        """Answer piece by piece; see `chat`."""
        service = self._opened()
        asked = asked_of(messages, wishes, service, stream=True)
        return AsyncStream(service=service, asked=asked)

    def explain(self, messages: Messages, **wishes: Unpack[Wishes]) -> Explanation:
        """Tell how it would be answered, and why. Calls no model, spends nothing."""
        service = self._opened()
        asked = asked_of(messages, wishes, service, stream=False)
        return planned(service.task(asked), service.parts)

    async def __aenter__(self) -> Self:
        """Find the pool where the config has none, then open everything."""
        if self._service is not None:
            raise BadInput("is open already", where=type(self).__name__)
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
        if self._service is not None:
            raise BadInput("is open already", where=type(self).__name__)
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

    def _opened(self) -> Service:
        if self._service is None:
            raise BadInput(_NOT_OPEN, where=type(self).__name__)
        return self._service

    def _wait(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run async work on our loop and wait for it; an interrupt cancels it."""
        if self._loop is None:
            raise BadInput(_NOT_OPEN, where=type(self).__name__)

        async def waiting() -> T:
            return await work()

        future = asyncio.run_coroutine_threadsafe(waiting(), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def _end_loop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None
