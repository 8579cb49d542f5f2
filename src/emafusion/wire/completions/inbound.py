"""Bytes of a request to `/v1/completions` -> a Query for each of its prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Query
from emafusion.wire import faults
from emafusion.wire.body import Fields, fields_of
from emafusion.wire.openai.inbound import decode_query
from emafusion.wire.openai.params import Bias, Count, Int64, Penalty, StreamOptions, Text

MOST_PROMPTS = 128
"""Prompts that one request may have."""

_Text = Annotated[str, Meta(min_length=1)]


class Params(Struct):
    """The whole body."""

    model: Text
    prompt: _Text | Annotated[list[Raw], Meta(min_length=1, max_length=MOST_PROMPTS)]
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Bias] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    max_tokens: Count | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    presence_penalty: Penalty | None = None
    seed: Int64 | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | None = None


class Prompted(Struct, frozen=True, kw_only=True):
    """A request that was read. `prompts`: at least one, none of them empty."""

    params: Params
    fields: Fields
    prompts: tuple[str, ...]

    @property
    def echo(self) -> bool:
        """Whether each answer begins with its prompt."""
        return bool(self.params.echo)


_OWN = frozenset({"prompt", "best_of", "echo", "suffix", "logprobs"})
_ELSEWHERE: Mapping[str, str] = {
    "messages": "in this API it is prompt; messages are for /v1/chat/completions",
    "response_format": "belongs to /v1/chat/completions",
    "tools": "belongs to /v1/chat/completions",
    "tool_choice": "belongs to /v1/chat/completions",
    "functions": "belongs to /v1/chat/completions",
    "modalities": "belongs to /v1/chat/completions",
}


def decode_prompts(body: bytes, /) -> Prompted:
    """Read the body of `/v1/completions`. Raises `BadInput` with the field that is wrong.

    >>> decode_prompts(b'{"model": "auto", "prompt": "Once"}').prompts
    ('Once',)
    """
    fields = fields_of(body)
    for name, _ in fields:
        if name in _ELSEWHERE:
            raise BadInput(_ELSEWHERE[name], where=name)
    params = faults.decode(body, Params)
    _refuse(params)
    return Prompted(params=params, fields=fields, prompts=tuple(_prompts(params.prompt)))


def query_of(prompted: Prompted, prompt: str, *, query_id: str) -> Query:
    """The query that one of the prompts asks."""
    written = dict(_written(prompted, prompt))
    return decode_query(msgspec.json.encode(written), query_id=query_id)


def _refuse(params: Params) -> None:
    if params.suffix:
        raise BadInput("models here do not insert into a text; leave it out", where="suffix")
    if (params.best_of or 0) > 1 and params.best_of != (params.n or 1):
        what = "answers are chosen by their quality here, not by best_of; leave it out"
        raise BadInput(what, where="best_of")


def _prompts(given: str | list[Raw]) -> Iterator[str]:
    if isinstance(given, str):
        yield given
        return
    for n, raw in enumerate(given):
        where = f"prompt[{n}]"
        if not bytes(raw).startswith(b'"'):
            raise BadInput(
                "expected a text: tokens of another model mean nothing here", where=where
            )
        yield faults.decode(raw, str, where=where) or _empty(where)


def _empty(where: str) -> str:
    raise BadInput("must not be empty", where=where)


def _written(prompted: Prompted, prompt: str) -> Iterator[tuple[str, object]]:
    yield from ((name, Raw(value)) for name, value in prompted.fields if name not in _OWN)
    yield "messages", [{"role": "user", "content": prompt}]
    logprobs = prompted.params.logprobs
    if logprobs is not None:
        yield "logprobs", True
        yield "top_logprobs", logprobs
