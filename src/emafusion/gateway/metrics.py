"""`GET /metrics`: the page that Prometheus scrapes.

Where keys are on it needs one, and one that is not limited in anything: it tells of everybody's
requests and money. The admin API has the page as well.
"""

from __future__ import annotations

import time

from emafusion.domain.errors import BadInput
from emafusion.gateway.admission_refusal import NotAllowed
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Service
from emafusion.telemetry.now import Now

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsOff(BadInput):
    """The config has switched them off."""

    status = 404
    code = "not_found"


async def metrics(request: Request, _sender: Sender, service: Service) -> Response:
    """Everything that was counted. Raises `MetricsOff`, or `NotAllowed`."""
    if request.key is not None and request.key.is_limited:
        told = "metrics tell of everybody: this key has limits of its own, so it may not read them"
        raise NotAllowed(f"{told}; the admin API has them too")
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
