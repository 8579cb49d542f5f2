"""A reply that was held back, cut into deltas so that it can be streamed after all."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Choice, Delta, Reply, ToolDelta
from emafusion.domain.query import Origin

_CHUNK_FIELDS = ("id", "created", "model", "system_fingerprint", "service_tier")


def deltas_of(reply: Reply, /) -> tuple[Delta, ...]:
    """Cut a whole reply into deltas: for each answer what it says and its end, then the usage.

    What only OpenAI's dialect knows of a reply (annotations, audio ...) stays in the deltas' `raw`.

    >>> reply = Reply(choices=(Choice(text="Hi"),), model="m")
    >>> [delta.text for delta in deltas_of(reply)]
    ['Hi', '']
    """
    raws = _raw_chunks(reply.origin)
    deltas = [
        delta
        for index, choice in enumerate(reply.choices)
        for delta in _choice(choice, index, model=reply.model, raw=raws.get(index))
    ]
    if reply.usage is not None:
        deltas.append(Delta(usage=reply.usage, model=reply.model))
    return tuple(deltas)


def _choice(
    choice: Choice, index: int, *, model: str, raw: tuple[bytes, bytes] | None
) -> Iterator[Delta]:
    yield Delta(
        choice=index,
        text=choice.text,
        reasoning=choice.reasoning or "",
        refusal=choice.refusal or "",
        tools=tuple(
            ToolDelta(index=n, id=call.id, name=call.name, arguments=call.arguments)
            for n, call in enumerate(choice.tool_calls)
        ),
        logprobs=choice.logprobs,
        model=model,
        dialect="openai" if raw else None,
        raw=raw[0] if raw else None,
    )
    yield Delta(
        choice=index,
        finish_reason=choice.finish_reason,
        model=model,
        dialect="openai" if raw else None,
        raw=raw[1] if raw else None,
    )


def _raw_chunks(origin: Origin | None) -> dict[int, tuple[bytes, bytes]]:
    """For each choice of an OpenAI reply its two chunks: what it says, and its end."""
    if origin is None or origin.dialect != "openai":
        return {}
    fields = dict(origin.fields)
    frame: dict[str, object] = {name: Raw(fields[name]) for name in _CHUNK_FIELDS if name in fields}
    frame["object"] = "chat.completion.chunk"
    choices = msgspec.json.decode(fields["choices"], type=list[dict[str, Raw]])
    choices.sort(key=_index)
    return {n: _two_chunks(choice, n, frame) for n, choice in enumerate(choices)}


def _index(choice: dict[str, Raw]) -> int:
    return msgspec.json.decode(choice.get("index", Raw(b"0")), type=int)


def _two_chunks(
    choice: dict[str, Raw], index: int, frame: dict[str, object]
) -> tuple[bytes, bytes]:
    message: dict[str, object] = dict(msgspec.json.decode(choice["message"], type=dict[str, Raw]))
    calls = message.get("tool_calls")
    if isinstance(calls, Raw) and bytes(calls) != b"null":
        message["tool_calls"] = _numbered(calls)
    said: dict[str, object] = {
        name: value
        for name, value in choice.items()
        if name not in ("message", "finish_reason", "index")
    }
    said |= {"index": index, "delta": message, "finish_reason": None}
    end: dict[str, object] = {
        "index": index,
        "delta": dict[str, object](),
        "finish_reason": choice.get("finish_reason", "stop"),
    }
    return _chunk(frame, said), _chunk(frame, end)


def _chunk(frame: dict[str, object], choice: dict[str, object]) -> bytes:
    return msgspec.json.encode(frame | {"choices": [choice]})


def _numbered(calls: Raw) -> list[dict[str, object]]:
    """Give each tool call its index, which only streams have."""
    parts = msgspec.json.decode(calls, type=list[dict[str, Raw]])
    return [{"index": n, **part} for n, part in enumerate(parts)]
