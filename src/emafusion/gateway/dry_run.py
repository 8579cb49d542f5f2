"""`POST /v1/route`: the plan for a request and why; calls no model."""

from __future__ import annotations

from msgspec import json

from emafusion.gateway.asking import read_asked
from emafusion.gateway.explanation import planned
from emafusion.gateway.http import Request, Response, Send, respond
from emafusion.gateway.service import Service


async def dry_run(request: Request, send: Send, service: Service) -> None:
    """Explain what would be done with the request in the body."""
    asked = await read_asked(request, service)
    explanation = planned(service.task(asked), service.parts)
    await respond(send, Response(body=json.encode(explanation)))
