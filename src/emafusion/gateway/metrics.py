"""`GET /metrics`: the page that Prometheus scrapes. Needs a gateway key where keys are on."""

from __future__ import annotations

import time

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Service
from emafusion.telemetry.now import Now

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsOff(BadInput):
    """The config has switched them off."""

    status = 404
    code = "not_found"


async def metrics(_request: Request, _sender: Sender, service: Service) -> Response:
    """Everything that was counted. Raises `MetricsOff`."""
    watching = service.watching
    if watching.pages is None:
        raise MetricsOff("metrics are off here (telemetry.metrics)")
    watching.aside.flush()
    resting = service.health.resting(time.monotonic())
    now = Now(
        under_way=watching.under_way(),
        lost=service.ledger.lost,
        missed=watching.aside.missed,
        resting={c.name: c.name in resting for c in service.candidates},
        artifact=service.parts.artifact or "",
    )
    return Response(body=watching.pages.page(now), kind=CONTENT_TYPE)
