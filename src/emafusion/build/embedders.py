"""Embedding models of the config -> what asks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emafusion.catalog.embedding import EMBEDDING_MODELS
from emafusion.config import Config
from emafusion.config.embeddings_section import EmbeddingEntry
from emafusion.domain.errors import Unready
from emafusion.domain.model import Candidate, Model, Price
from emafusion.gateway.embedders import Embedder, Embedders
from emafusion.upstream.embedder import RemoteEmbedder
from emafusion.upstream.pool import Pool
from emafusion.upstream.proxy import proxies_from_environment
from emafusion.upstream.remote import Account
from emafusion.upstream.tls import Trust
from emafusion.wire.embeddings import EmbedDialect, GeminiEmbeddings, OpenAIEmbeddings

EMBED_DIALECTS: Mapping[str, Callable[[], EmbedDialect]] = {
    "openai": OpenAIEmbeddings,
    "gemini": GeminiEmbeddings,
}


def open_embedders(config: Config, env: Mapping[str, str]) -> Embedders:
    """Make what asks each embedding model. Raises `Unready` where a key is not set."""
    if not config.embeddings:
        return Embedders()
    trust = Trust()
    return Embedders(tuple(_embedder(entry, env, trust) for entry in config.embeddings))


def embedding_candidate(entry: EmbeddingEntry) -> Candidate:
    """The model as its entry states it, with what the catalog knows of its price."""
    remote = entry.remote_name or entry.name
    known = EMBEDDING_MODELS.get((entry.provider, remote)) if entry.is_at_home else None
    model = known or Model(name=remote, provider=entry.provider)
    if entry.prompt_usd_per_mtok is not None:
        price = Price(prompt_usd_per_mtok=entry.prompt_usd_per_mtok, completion_usd_per_mtok=0.0)
        model = Model(name=model.name, provider=model.provider, price=price)
    return Candidate(name=entry.name, model=model, deployment=entry.deployment, remote_name=remote)


def _embedder(entry: EmbeddingEntry, env: Mapping[str, str], trust: Trust) -> Embedder:
    account = Account(base_url=entry.address or "", api_key=_key(entry, env))
    pool = Pool(proxies=proxies_from_environment(env), trust=trust)
    remote = RemoteEmbedder(EMBED_DIALECTS[entry.dialect](), account, pool=pool)
    return Embedder(candidate=embedding_candidate(entry), remote=remote)


def _key(entry: EmbeddingEntry, env: Mapping[str, str]) -> str:
    if entry.key_env is None:
        return ""
    key = env.get(entry.key_env, "").strip()
    if not key:
        what = f"embeddings.{entry.name}: the environment variable {entry.key_env} is not set"
        raise Unready(f"{what}; set it, or name another by api_key_env")
    return key
