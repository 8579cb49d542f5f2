"""The embedding models of a gateway, found by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Protocol

from emafusion.domain.errors import UnknownModel
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Upstream
from emafusion.gateway.meaning import Meaning
from emafusion.gateway.names import ROUTED
from emafusion.wire.embeddings import EmbedDialect


class Remote(Upstream, Protocol):
    """Asks one embedding model's API."""

    @property
    def dialect(self) -> EmbedDialect:
        """What it speaks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """An embedding model and what asks it."""

    candidate: Candidate
    remote: Remote


@dataclass(frozen=True, slots=True)
class Embedders:
    """All of them, in the order of the config.

    `meaning`: gives queries the vectors that the artifact reads, if it reads any.
    """

    all: tuple[Embedder, ...] = ()
    meaning: Meaning | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The models."""
        return tuple([embedder.candidate for embedder in self.all])

    def find(self, requested: str) -> Embedder:
        """The model of that name, the first where the choice is left to us.

        Raises `UnknownModel`, which says what there is, or how to add one.
        """
        if not self.all:
            what = "this gateway has no embedding models; name one under embeddings in its config"
            raise UnknownModel(what, where="model")
        if requested in ROUTED:
            return self.all[0]
        named = next((e for e in self.all if e.candidate.name == requested), None)
        named = named or next((e for e in self.all if e.candidate.remote_name == requested), None)
        if named is None:
            raise UnknownModel(self._no_such(requested), where="model")
        return named

    def _no_such(self, requested: str) -> str:
        names = [embedder.candidate.name for embedder in self.all]
        near = difflib.get_close_matches(requested, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names)}"
        return f"there is no embedding model '{requested[:80]}' here; {hint}"

    async def close(self) -> None:
        """Close every connection."""
        for embedder in self.all:
            await embedder.remote.close()
        if self.meaning is not None:
            await self.meaning.reader.close()
