"""`POST /v1/feedback`: what a client says of an answer that it got."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from msgspec import Meta, Struct, json

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Service
from emafusion.store.feedback.feedback import Feedback
from emafusion.wire import faults

VERDICTS = {"right": 1.0, "wrong": 0.0}

_Words = Annotated[str, Meta(max_length=20_000)]


class NoDecision(BadInput):
    """No such decision in the log, or another key's."""

    status = 404
    code = "decision_not_found"


class NoFeedback(BadInput):
    """This gateway keeps none."""

    status = 404
    code = "not_found"


class _Body(Struct, forbid_unknown_fields=True):
    decision_id: Annotated[str, Meta(min_length=1, max_length=80)]
    score: Annotated[float, Meta(ge=0, le=1)] | None = None
    verdict: Literal["right", "wrong"] | None = None
    corrected: _Words | None = None
    comment: _Words | None = None


class _Kept(Struct):
    decision_id: str
    score: float


async def give_feedback(request: Request, _sender: Sender, service: Service) -> Response:
    """Keep it beside the decision that it is of. Raises `BadInput`, `NoDecision`."""
    if service.feedback is None:
        raise NoFeedback("this gateway keeps no feedback")
    body = faults.decode(request.body, _Body)
    score = _score(body)
    key_id = None if request.key is None else request.key.id
    is_known, owner = await service.feedback.owner(body.decision_id)
    if not is_known or owner != key_id:
        raise NoDecision("there is no such decision in the log", where="decision_id")
    await service.feedback.add(
        Feedback(
            decision_id=body.decision_id,
            created_at=time.time(),
            source="client",
            score=score,
            key_id=key_id,
            corrected=body.corrected,
            comment=body.comment,
        )
    )
    return Response(body=json.encode(_Kept(decision_id=body.decision_id, score=score)))


def _score(body: _Body) -> float:
    if (body.score is None) == (body.verdict is None):
        raise BadInput("give either score (0 to 1) or verdict (right or wrong)", where="score")
    return VERDICTS[body.verdict] if body.verdict is not None else body.score or 0.0
