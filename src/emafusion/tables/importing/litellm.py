"""LiteLLM's spend logs: an export of its table `LiteLLM_SpendLogs` as JSON, CSV or parquet.

Texts are there only with `store_prompts_in_spend_logs: true`. Spend of 0 stands for a model without
a price. Answers from a cache, failed calls, and calls that give no text are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from emafusion.tables.importing.asked import asked, query_id_of
from emafusion.tables.importing.foreign import files_of, foreign_rows
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.openai_reply import replies_of
from emafusion.tables.importing.reach import (
    Json,
    counted,
    decoded,
    number,
    paid,
    reach,
    seconds,
    text,
)
from emafusion.tables.json_kinds import is_list
from emafusion.tables.jsonl import Fields

ENDINGS: Final = (".json", ".jsonl", ".csv", ".csv.gz", ".parquet")
TEXT_CALLS: Final = ("completion", "responses", "anthropic_messages", "generate_content")
"""Ends of the names of calls that give a text; each also with an `a` before it."""


def import_litellm(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each call that was answered by a model."""
    for path in files_of(sources, *ENDINGS):
        for each in foreign_rows(path):
            place = each.place(path)
            if isinstance(each.fields, str):
                yield place.being(wrong=each.fields)
            else:
                yield _found(place, each.fields, wish)


def _found(place: Found, row: Fields, wish: Wish) -> Found:
    kind = text(row.get("call_type")) or "completion"
    if not kind.endswith(TEXT_CALLS):
        return place.being(left_out=f"calls of type {kind[:40]}")
    if text(row.get("status")) == "failure":
        return place.being(left_out="failed calls")
    if str(row.get("cache_hit")).lower() == "true":
        return place.being(left_out="answers from a cache")
    cells = _question(row)
    if cells.get("prompt") is None and cells.get("messages") is None:
        what = (
            "has no messages; LiteLLM keeps them only with "
            "general_settings: store_prompts_in_spend_logs: true"
        )
        return place.being(wrong=what)
    reply = next(iter(replies_of(decoded(row.get("response")))), None)
    return place.being(
        row={
            "query_id": query_id_of(cells),
            **cells,
            "model": text(row.get("model")) or text(row.get("model_group")) or wish.model,
            "response": None if reply is None else reply.response,
            "mean_logprob": None if reply is None else reply.mean_logprob,
            "prompt_tokens": counted(row.get("prompt_tokens")),
            "completion_tokens": counted(row.get("completion_tokens")),
            "cost_usd": paid(row.get("spend")),
            "latency_s": _latency(row),
        }
    )


def _question(row: Fields) -> Fields:
    """The messages of the log, else those of the request as it came in."""
    request = decoded(row.get("proxy_server_request"))
    body = reach(request, "body") or request
    for messages in (decoded(row.get("messages")), reach(body, "messages"), reach(body, "input")):
        if messages and isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]  # noqa: PLW2901 - the same, as turns
        if messages and is_list(messages):
            return asked(messages, tools=reach(body, "tools"))
    return {}


def _latency(row: Fields) -> Json:
    took_ms = number(row.get("request_duration_ms"))
    if took_ms is not None:
        return took_ms / 1000
    return seconds(row.get("startTime"), row.get("endTime"))
