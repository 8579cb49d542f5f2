"""`GET /v1/models`, `/health` and `/ready`."""

from __future__ import annotations

from typing import Protocol

from msgspec import json

from emafusion.domain.errors import UnknownModel
from emafusion.gateway.admission_scope import allowed
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.names import OWN, named_candidate
from emafusion.gateway.service import Service
from emafusion.store.keys.key import Key
from emafusion.wire import anthropic, gemini
from emafusion.wire.openai import ModelEntry, encode_model, encode_models


def entries(service: Service, key: Key | None = None) -> tuple[ModelEntry, ...]:
    """Every name that a client may send: the router's, its profiles, the pool's as its key says."""
    own = [ModelEntry(id=name, owned_by="emafusion") for name in OWN]
    known = (*service.candidates, *service.embedders.candidates)
    usable = known if key is None else allowed(key, known)
    pool = [ModelEntry(id=c.name, owned_by=c.model.provider) for c in usable]
    return (*own, *pool)


async def list_models(request: Request, _sender: Sender, service: Service) -> Response:
    """List the models, in the shape of the API that the client speaks."""
    found = entries(service, request.key)
    own = _spoken(request)
    body = encode_models(found) if own is None else own.encode_models(tuple(e.id for e in found))
    return Response(body=body)


async def one_model(request: Request, _sender: Sender, service: Service) -> Response:
    """Tell one model, in the shape of the API that the client speaks."""
    name = request.head.path.partition("/models/")[2].rstrip("/")
    known = {entry.id: entry for entry in entries(service, request.key)}
    if name not in known:
        named_candidate(name, service.candidates)
        raise UnknownModel(f"there is no model '{name[:80]}' here", where="model")
    own = _spoken(request)
    return Response(body=encode_model(known[name]) if own is None else own.encode_model(name))


class _Listing(Protocol):
    """Writes names of models as an API does."""

    def encode_models(self, names: tuple[str, ...], /) -> bytes: ...

    def encode_model(self, name: str, /) -> bytes: ...


def _spoken(request: Request) -> _Listing | None:
    """The API that a client speaks, by what only its clients send; None for OpenAI's."""
    headers = request.head.headers
    if request.head.path.startswith("/v1beta") or "x-goog-api-key" in headers:
        return gemini
    return anthropic if "anthropic-version" in headers else None


async def health(_request: Request, _sender: Sender, _service: Service) -> Response:
    """The process is alive."""
    return Response(body=b'{"status":"ok","service":"emafusion"}')


async def ready(_request: Request, _sender: Sender, service: Service) -> Response:
    """Whether the gateway can answer: 200 if somebody in the pool can, else 503, and why."""
    told = service.readiness()
    return Response(body=json.encode(told), status=200 if told.models else 503)
