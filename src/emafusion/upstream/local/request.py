"""Bytes of a chat request to a `ChatRequest`, or a `Failed` that says what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from .body import ChatBody, ChatMessage, ResponseFormat
from .generation import Failed, Job, Message, Role, Sampling

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A request that was understood. `wants_usage`: a stream ends with a usage chunk."""

    model: str
    job: Job
    stream: bool
    wants_usage: bool
    wants_logprobs: bool


def read_request(data: bytes, *, default_max_tokens: int) -> ChatRequest | Failed:
    """Parse and check a body.

    `default_max_tokens` bounds an answer for which the client named no bound. Without a
    temperature the answer is greedy: a small model at temperature 1 mostly rambles, and equal
    questions get equal answers.

    >>> read_request(b'{"model": "m", "messages": []}', default_max_tokens=8).message
    'messages: Expected `array` of length >= 1'
    """
    try:
        body = msgspec.json.decode(data, type=ChatBody)
        return ChatRequest(
            model=body.model,
            job=Job(messages=_messages(body), sampling=_sampling(body, default_max_tokens)),
            stream=body.stream or False,
            wants_usage=_wants_usage(body),
            wants_logprobs=_wants_logprobs(body),
        )
    except msgspec.ValidationError as error:
        return _invalid(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Failed(
            status=400, code="invalid_json", message=f"the body is not valid JSON: {error}"
        )
    except _Refused as refused:
        return refused.failed


class _Refused(Exception):
    def __init__(self, param: str, message: str, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.failed = Failed(status=400, code=code, message=f"{param}: {message}", param=param)


def _invalid(message: str) -> Failed:
    """A type or range error; the path in msgspec's message becomes the parameter's name."""
    text, _, path = message.partition(" - at `$")
    param = path.rstrip("`").lstrip(".") or None
    unknown = re.search(r"unknown field `([^`]*)`", text)
    if unknown:
        param = f"{param}.{unknown[1]}" if param else unknown[1]
        return Failed(
            status=400, code="unknown_parameter", message=f"{param}: unknown parameter", param=param
        )
    return Failed(
        status=400, code="invalid_value", message=f"{param}: {text}" if param else text, param=param
    )


def _messages(body: ChatBody) -> tuple[Message, ...]:
    _refuse_unsupported(body)
    return tuple(
        _message(message, f"messages[{index}]") for index, message in enumerate(body.messages)
    )


def _refuse_unsupported(body: ChatBody) -> None:
    asked = {
        "tools": body.tools,
        "functions": body.functions,
        "tool_choice": bytes(body.tool_choice) not in (b'"none"', b'"auto"', b"null"),
        "logit_bias": body.logit_bias,
        "modalities": body.modalities not in (None, [], ["text"]),
        "audio": _given(body.audio),
        "prediction": _given(body.prediction),
        "web_search_options": _given(body.web_search_options),
    }
    for param, value in asked.items():
        if value:
            raise _Refused(param, "unsupported by this local model", "unsupported_parameter")


def _given(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"null", b"[]", b"{}")


def _message(message: ChatMessage, where: str) -> Message:
    role = _ROLES.get(message.role)
    if role is None:
        raise _Refused(
            f"{where}.role", f"{message.role[:40]!r} is unsupported; use one of {', '.join(_ROLES)}"
        )
    if _given(message.tool_calls) or _given(message.function_call):
        raise _Refused(
            f"{where}.tool_calls", "unsupported by this local model", "unsupported_parameter"
        )
    return Message(role=role, content=_content(message, f"{where}.content"))


def _content(message: ChatMessage, where: str) -> str:
    if isinstance(message.content, str):
        return message.content
    if message.content is None:
        raise _Refused(where, "a text or a list of text parts is required")
    other = [part.type for part in message.content if part.type != "text" or part.text is None]
    if other:
        raise _Refused(
            where, f"only text parts are supported, not {other[0][:40]!r}", "unsupported_parameter"
        )
    return "".join(part.text or "" for part in message.content)


def _sampling(body: ChatBody, default_max_tokens: int) -> Sampling:
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    return Sampling(
        max_tokens=body.max_completion_tokens or body.max_tokens or default_max_tokens,
        temperature=body.temperature or 0.0,
        top_p=body.top_p or 1.0,
        top_k=body.top_k,
        seed=None if body.seed is None else body.seed % 2**31,
        stop=stop,
        samples=body.n or 1,
        presence_penalty=body.presence_penalty or 0.0,
        frequency_penalty=body.frequency_penalty or 0.0,
        json_schema=_schema(body.response_format),
    )


def _schema(wanted: ResponseFormat | None) -> str | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return '{"type": "object"}'
    if wanted.type != "json_schema" or wanted.json_schema is None:
        raise _Refused(
            "response_format", "must be text, json_object, or json_schema with json_schema.schema"
        )
    schema = bytes(wanted.json_schema.schema)
    if not schema.startswith(b"{"):
        raise _Refused("response_format.json_schema.schema", "must be a JSON object")
    return schema.decode()


def _wants_usage(body: ChatBody) -> bool:
    if body.stream_options is not None and not body.stream:
        raise _Refused("stream_options", "allowed only with stream: true")
    return body.stream_options is not None and (body.stream_options.include_usage or False)


def _wants_logprobs(body: ChatBody) -> bool:
    if body.top_logprobs is not None and not body.logprobs:
        raise _Refused("top_logprobs", "allowed only with logprobs: true")
    return body.logprobs or False
