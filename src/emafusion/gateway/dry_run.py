"""`POST /v1/route`: the plan for a request and why; calls no model."""

from __future__ import annotations

from dataclasses import replace

from msgspec import json, structs

from emafusion.gateway.asking import read_asked
from emafusion.gateway.explanation import Explanation, explain
from emafusion.gateway.http import Request, Response, Send, respond
from emafusion.gateway.names import named_candidate
from emafusion.gateway.service import Asked, Service


async def dry_run(request: Request, send: Send, service: Service) -> None:
    """Explain what would be done with the request in the body."""
    asked = await read_asked(request, service)
    explanation = planned(asked, service)
    await respond(send, Response(body=json.encode(explanation)))


def planned(asked: Asked, service: Service) -> Explanation:
    """What would be done: routed, or straight to the model that was named."""
    chosen = named_candidate(asked.query.requested, service.candidates)
    task = service.task(asked)
    if chosen is None:
        return explain(task, service.parts)
    plan = explain(replace(task, candidates=(chosen,)), service.parts)
    reason = "the client named the model"
    return structs.replace(plan, route="direct", reason=reason, then=(), propensity=1.0)
