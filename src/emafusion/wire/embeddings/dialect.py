"""How one provider's API is asked for embeddings."""

from __future__ import annotations

from typing import Protocol

from msgspec import Raw, Struct

from emafusion.wire.dialect import WireRequest
from emafusion.wire.embeddings.asked import EmbedQuery


class Embedded(Struct, frozen=True, kw_only=True):
    """What came of some inputs: for each its vector as JSON, an array or text in base64.

    `prompt_tokens`: None where the provider did not say.
    """

    vectors: tuple[Raw, ...]
    prompt_tokens: int | None = None


class EmbedDialect(Protocol):
    """One provider's API for embeddings. Pure and without state."""

    @property
    def base_url(self) -> str:
        """The provider's own address, where the config names none."""
        ...

    @property
    def at_once(self) -> int:
        """Inputs that one call may have."""
        ...

    def auth(self, api_key: str, /) -> tuple[tuple[str, str], ...]:
        """Headers that carry the key."""
        ...

    def check(self, query: EmbedQuery, /) -> None:
        """Raise `BadInput` for what cannot be said and would change the vectors."""
        ...

    def request(self, query: EmbedQuery, model: str, /) -> WireRequest:
        """Write a call for all inputs of a query that was checked."""
        ...

    def reply(self, body: bytes, query: EmbedQuery, /) -> Embedded:
        """Read a reply. Raises `Garbled` where it has not a vector for each input."""
        ...

    def dropped(self, query: EmbedQuery, /) -> tuple[str, ...]:
        """Names of the parameters that cannot be said, and do not change the vectors."""
        ...
