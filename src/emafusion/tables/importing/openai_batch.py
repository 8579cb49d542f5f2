"""OpenAI's batch files: a file of requests and the file of their answers, joined by `custom_id`.

With several pairs give each request file with its output, in the same order. No file says a price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.tables.importing.asked import asked
from emafusion.tables.importing.foreign import files_of, foreign_rows
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.openai_reply import replies_of
from emafusion.tables.importing.reach import Json, reach, text
from emafusion.tables.json_kinds import is_list, is_object
from emafusion.tables.jsonl import Fields

Requests = Mapping[str, Fields]
"""By `custom_id`: what was asked (`prompt`, `messages`) and of whom (`model`)."""


def import_openai_batch(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each answer in the output files."""
    inputs: list[Path] = []
    outputs: list[Path] = []
    for path in files_of(sources, ".jsonl"):
        (outputs if _is_output(path) else inputs).append(path)
    if not outputs or len(inputs) not in {1, len(outputs)}:
        what = f"{len(inputs)} files of requests and {len(outputs)} of answers; give each request"
        raise BadInput(f"{what} file with its output, in the same order", where="openai-batch")
    requests: Requests = {}
    for number, path in enumerate(outputs):
        if number < len(inputs):
            requests = dict(_requests(inputs[number]))
        yield from _rows(path, requests, wish)


def _is_output(path: Path) -> bool:
    for each in foreign_rows(path):
        if is_object(each.fields):
            return "response" in each.fields or "error" in each.fields
    raise BadInput("has no rows", where=str(path))


def _requests(path: Path) -> Iterator[tuple[str, Fields]]:
    for each in foreign_rows(path):
        if isinstance(each.fields, str):
            raise BadInput(f"line {each.line}: {each.fields}", where=str(path))
        named = each.fields.get("custom_id")
        if named is None:
            raise BadInput(f"line {each.line}: has no custom_id", where=str(path))
        body = each.fields.get("body")
        yield str(named), {"model": reach(body, "model"), **_question(body)}


def _question(body: Json) -> Fields:
    besides = {name: reach(body, name) for name in ("tools", "response_format")}
    messages = reach(body, "messages")
    if is_list(messages):
        return asked(messages, **besides)
    given = reach(body, "input") or reach(body, "prompt")
    turns = [{"role": "user", "content": given}] if isinstance(given, str) else given
    system = text(reach(body, "instructions"))
    first = [{"role": "system", "content": system}] if system else []
    return asked([*first, *map(_turn, turns)]) if is_list(turns) else {}


def _turn(turn: Json) -> Json:
    """A message of the responses API, whose texts are of type `input_text`."""
    whole = msgspec.json.encode(turn).replace(b'"input_text"', b'"text"')
    read: object = msgspec.json.decode(whole.replace(b'"output_text"', b'"text"'))
    return read


def _rows(path: Path, requests: Requests, wish: Wish) -> Iterator[Found]:
    for each in foreign_rows(path):
        place = each.place(path)
        if isinstance(each.fields, str):
            yield place.being(wrong=each.fields)
            continue
        named = str(each.fields.get("custom_id"))
        body = reach(each.fields.get("response"), "body")
        if each.fields.get("error") or reach(each.fields, "response", "status_code") != 200:
            yield place.being(left_out="requests that failed")
        elif named not in requests:
            yield place.being(wrong=f"custom_id '{named[:60]}' is in no file of requests")
        else:
            yield from _answers(place, named, requests[named], body=body, wish=wish)


def _answers(
    place: Found, named: str, request: Fields, *, body: Json, wish: Wish
) -> Iterator[Found]:
    replies = list(replies_of(body))
    if not replies:
        yield place.being(left_out="answers without a text")
    usage = reach(body, "usage") if len(replies) == 1 else None
    for number, reply in enumerate(replies):
        prompted, completed = (
            reach(usage, f"{name}_tokens") or reach(usage, f"{other}_tokens")
            for name, other in (("prompt", "input"), ("completion", "output"))
        )
        yield place.being(
            row={
                "query_id": named,
                **request,
                "model": request.get("model") or reach(body, "model") or wish.model,
                "response": reply.response,
                "mean_logprob": reply.mean_logprob,
                "prompt_tokens": prompted,
                "completion_tokens": completed,
                "sample": number if len(replies) > 1 else None,
            }
        )
