"""`GET /openapi.json`: what this gateway answers, for machines."""

from __future__ import annotations

from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.openapi.document import document
from emafusion.gateway.service import Service


async def openapi(_request: Request, _sender: Sender, _service: Service) -> Response:
    """Give the document."""
    return Response(body=document())
