"""What the well-known embedding models cost, and how long a text they read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emafusion.domain.model import Model, Price


def _model(name: str, provider: str, usd_per_mtok: float, *, dated: str, tokens: int) -> Model:
    """A vector is no completion, so completion tokens cost nothing."""
    price = Price(prompt_usd_per_mtok=usd_per_mtok, completion_usd_per_mtok=0.0, dated=dated)
    return Model(name=name, provider=provider, price=price, context_tokens=tokens)


EMBEDDING_MODELS: Mapping[tuple[str, str], Model] = MappingProxyType(
    {
        (model.provider, model.name): model
        for model in (
            _model("text-embedding-3-small", "openai", 0.02, dated="2024-01-25", tokens=8191),
            _model("text-embedding-3-large", "openai", 0.13, dated="2024-01-25", tokens=8191),
            _model("text-embedding-ada-002", "openai", 0.10, dated="2023-06-13", tokens=8191),
            _model("gemini-embedding-001", "gemini", 0.15, dated="2025-07-14", tokens=2048),
        )
    }
)
"""Models by provider and name; the prices are those announced on their dates. Any other price is
unknown until the config states it."""
