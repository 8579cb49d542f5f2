"""`POST /v1/route`: the plan for a request and why; calls no model."""

from __future__ import annotations

from msgspec import json

from emafusion.gateway.asking import read_asked
from emafusion.gateway.chat import CHAT
from emafusion.gateway.explanation import planned
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Service


async def dry_run(request: Request, _sender: Sender, service: Service) -> Response:
    """Explain what would be done with the request in the body."""
    asked = read_asked(request, service, CHAT)
    return Response(body=json.encode(planned(service.task(asked), service.parts)))
