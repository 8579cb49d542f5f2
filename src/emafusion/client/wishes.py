"""What one call asks: its messages, and what it wishes beyond them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

from msgspec import json

from emafusion.domain.errors import BadInput
from emafusion.domain.session import session_of
from emafusion.gateway.asking import objective_of, tags_of
from emafusion.gateway.names import named_candidate
from emafusion.gateway.service import Asked, Service, new_decision_id
from emafusion.wire.openai import decode_query
from emafusion.wire.options import decode_options

Messages = str | Sequence[Mapping[str, object]]
"""A question, or messages as OpenAI's API has them."""


class Wishes(TypedDict, total=False):
    """What a call may say beyond its messages; each may be left out.

    `model`: `auto` (the default), a profile such as `emafusion/eco`, `emafusion/fusion`, or a model
    of the pool. `settings`: further fields of OpenAI's API such as `{"temperature": 0}` or `tools`.
    The others are those of the object `emafusion` in a request to the gateway: `quality_weight` and
    `min_quality` 0..1, `answer_value_usd` and `max_cost_usd` in US dollars, `max_latency_s` in
    seconds, `models` that may be used, `session` that this belongs to, `baseline` against which
    savings are counted, `dataset`: your own name for this kind of work, `tests` that an answer must
    pass, run by the checker of the config, `explain`: whether `outcome.answer.signals` tell how
    each confidence came about.
    """

    model: str
    settings: Mapping[str, object]
    quality_weight: float
    answer_value_usd: float
    min_quality: float
    max_cost_usd: float
    max_latency_s: float
    models: Sequence[str]
    session: str
    baseline: str
    dataset: str
    tests: str
    explain: bool


def asked_of(messages: Messages, wishes: Wishes, service: Service, *, stream: bool) -> Asked:
    """Check what is asked, exactly as the gateway would. Raises `BadInput`."""
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    own = {name: value for name, value in wishes.items() if name not in {"model", "settings"}}
    body: dict[str, object] = {
        **wishes.get("settings", {}),
        "model": wishes.get("model", "auto"),
        "messages": turns,
        "stream": stream,
        "emafusion": own,
    }
    query = decode_query(_encoded(body), query_id=new_decision_id())
    options = decode_options(query)
    return Asked(
        query=replace(query, dataset=options.dataset),
        objective=objective_of(options, service.objective, service.candidates),
        session=options.session or session_of(query),
        tags=tags_of(options),
        baseline=None
        if options.baseline is None
        else named_candidate(options.baseline, service.candidates),
        anew=options.cache is False or options.tests is not None,
        tests=options.tests,
        explain=options.explain is True,
    )


def _encoded(body: dict[str, object]) -> bytes:
    try:
        return json.encode(body)
    except (TypeError, UnicodeEncodeError) as error:
        raise BadInput(f"cannot be sent as JSON: {error}", where="messages or settings") from error
