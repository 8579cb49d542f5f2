"""`GET /v1/models`, `/health` and `/ready`."""

from __future__ import annotations

from msgspec import json

from emafusion.domain.errors import UnknownModel
from emafusion.gateway.admission_scope import allowed
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.names import OWN, named_candidate
from emafusion.gateway.service import Service
from emafusion.store.keys.key import Key
from emafusion.wire.openai import ModelEntry, encode_model, encode_models


def entries(service: Service, key: Key | None = None) -> tuple[ModelEntry, ...]:
    """Every name that a client may send: the router's, its profiles, the pool's as its key says."""
    own = [ModelEntry(id=name, owned_by="emafusion") for name in OWN]
    known = (*service.candidates, *service.embedders.candidates)
    usable = known if key is None else allowed(key, known)
    pool = [ModelEntry(id=c.name, owned_by=c.model.provider) for c in usable]
    return (*own, *pool)


async def list_models(request: Request, _sender: Sender, service: Service) -> Response:
    """List the models."""
    return Response(body=encode_models(entries(service, request.key)))


async def one_model(request: Request, _sender: Sender, service: Service) -> Response:
    """Tell one model."""
    name = request.head.path.partition("/models/")[2].rstrip("/")
    known = {entry.id: entry for entry in entries(service, request.key)}
    if name not in known:
        named_candidate(name, service.candidates)
        raise UnknownModel(f"there is no model '{name[:80]}' here", where="model")
    return Response(body=encode_model(known[name]))


async def health(_request: Request, _sender: Sender, _service: Service) -> Response:
    """The process is alive."""
    return Response(body=b'{"status":"ok","service":"emafusion"}')


async def ready(_request: Request, _sender: Sender, service: Service) -> Response:
    """Whether the gateway can answer: 200 if somebody in the pool can, else 503, and why."""
    told = service.readiness()
    return Response(body=json.encode(told), status=200 if told.models else 503)
