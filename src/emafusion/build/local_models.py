"""Models on this machine: who runs them, and who only calls them.

A process that serves alone runs its own. Where several workers serve, their parent runs each model
once, and the workers are told where it is. Two configs that follow each other share what both name.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from emafusion.upstream.local.child import LocalServer, LocalSpec
from emafusion.upstream.local.errors import ChildError


class LocalModel(Protocol):
    """A model on this machine behind an OpenAI-compatible address."""

    @property
    def state(self) -> str:
        """`starting`, `ready`, `restarting`, `failed` or `stopped`."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it failed or restarted last."""
        ...

    @property
    def base_url(self) -> str:
        """Its address. Raises `ChildError` where it has none."""
        ...

    @property
    def api_key(self) -> str:
        """What must be shown there."""
        ...

    async def wait_ready(self) -> None:
        """Wait until it answers. Raises `ChildError` if it cannot."""
        ...


class LocalModels(Protocol):
    """Gives models by what is to be run."""

    def take(self, spec: LocalSpec, /) -> LocalModel:
        """The model of this spec, started if nobody has yet. Needs a running event loop."""
        ...

    async def give_back(self, spec: LocalSpec, /) -> None:
        """Whoever took it needs it no more."""
        ...


class OwnModels:
    """Models that this process runs, each once, as long as somebody needs it."""

    def __init__(self) -> None:
        self._running: dict[LocalSpec, LocalServer] = {}
        self._takers: dict[LocalSpec, int] = {}

    def take(self, spec: LocalSpec, /) -> LocalModel:
        """The model of this spec, started if nobody has yet."""
        if spec not in self._running:
            self._running[spec] = LocalServer(spec)
            self._running[spec].start()
        self._takers[spec] = self._takers.get(spec, 0) + 1
        return self._running[spec]

    async def give_back(self, spec: LocalSpec, /) -> None:
        """End it when nobody else needs it."""
        self._takers[spec] -= 1
        if self._takers[spec] == 0:
            await self._running.pop(spec).stop()

    def all(self) -> dict[LocalSpec, LocalServer]:
        """Those that run."""
        return dict(self._running)


class GivenModel:
    """A model that another process runs."""

    def __init__(self) -> None:
        self._url: str | None = None
        self._changed = asyncio.Event()
        self.api_key = ""
        self.state = "starting"
        self.reason: str | None = None

    @property
    def base_url(self) -> str:
        """Its address. Raises `ChildError` where it has none."""
        if self._url is None:
            raise ChildError(self.reason or "the local model is not started")
        return self._url

    def told(self, *, url: str | None, api_key: str, state: str, reason: str | None) -> None:
        """Take over how it stands."""
        self._url, self.api_key, self.state, self.reason = url, api_key, state, reason
        self._changed.set()

    async def wait_ready(self) -> None:
        """Wait until it answers. Raises `ChildError` if it cannot."""
        while self.state not in {"ready", "failed"}:
            self._changed.clear()
            await self._changed.wait()
        if self.state == "failed":
            raise ChildError(self.reason or "the local model is not started")


class GivenModels:
    """Models that another process runs, by their names."""

    def __init__(self) -> None:
        self._models: dict[str, GivenModel] = {}

    def take(self, spec: LocalSpec, /) -> LocalModel:
        """The model of this spec, as the other process told of it."""
        return self.named(name_of(spec))

    async def give_back(self, spec: LocalSpec, /) -> None:
        """It is the other process's."""

    def named(self, name: str) -> GivenModel:
        """The model of this name, also before anything was told of it."""
        if name not in self._models:
            self._models[name] = GivenModel()
        return self._models[name]


def name_of(spec: LocalSpec) -> str:
    """What a spec is called between processes: its command line."""
    return "\0".join(spec.arguments())
