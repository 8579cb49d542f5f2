"""What the fake provider answers: completions and chunks as OpenAI's API writes them."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]

_FRAME = {"id": "chatcmpl-provider", "created": 1_700_000_000, "system_fingerprint": "fp_1"}


def completion(said: str, body: Body) -> Body:
    """A whole answer, with all that the request asked for."""
    return {
        **_FRAME,
        "object": "chat.completion",
        "model": body["model"],
        "choices": [_choice(said, n, body) for n in range(int(body.get("n") or 1))],
        "usage": usage(said),
        "service_tier": body.get("service_tier") or "default",
        "provider_field": "kept",
    }


def chunks(said: str, body: Body) -> Iterator[Body]:
    """The same answer as a stream of chunks, a word each."""
    choices = range(int(body.get("n") or 1))
    for i, word in enumerate(said.split(" ")):
        delta = {"role": "assistant", "content": word} if i == 0 else {"content": f" {word}"}
        for n in choices:
            yield _chunk(body, n, delta, logprobs=_logprobs(word, body))
    for n in choices:
        yield _chunk(body, n, {}, finish="stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**_chunk(body, 0, {}), "choices": [], "usage": usage(said)}


def message(said: str, body: Body) -> Body:
    """A whole answer as Anthropic's API writes it."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": said}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": len(said.split())},
    }


def vectors(said: str, body: Body) -> Body:
    """A vector for each input: its length and a half; in base64 where that is asked for.

    `said`: `floats` or `packed` for a server that knows only this form.
    """
    packed = said == "packed" or (said != "floats" and body.get("encoding_format") == "base64")
    given = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(text, packed=packed)}
        for n, text in enumerate(given)
    ]
    used = {"prompt_tokens": len(given), "total_tokens": len(given)}
    return {"object": "list", "data": data[::-1], "model": body["model"], "usage": used}


def _vector(text: str, *, packed: bool) -> list[float] | str:
    numbers = array("f", [len(text), 0.5])
    return base64.b64encode(numbers.tobytes()).decode() if packed else numbers.tolist()


def usage(said: str) -> Body:
    """A hundred prompt tokens, and a token for each word said."""
    spoken = len(said.split())
    return {
        "prompt_tokens": 100,
        "completion_tokens": spoken,
        "total_tokens": 100 + spoken,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _choice(said: str, index: int, body: Body) -> Body:
    message: Body = {"role": "assistant", "content": said, "refusal": None, "annotations": []}
    if "audio" in (body.get("modalities") or []):
        message |= {"content": None, "audio": _audio(said)}
    logprobs = _logprobs(said, body)
    return {"index": index, "message": message, "finish_reason": "stop", "logprobs": logprobs}


def _chunk(
    body: Body, index: int, delta: Body, *, finish: str | None = None, logprobs: Body | None = None
) -> Body:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
    kind = {"object": "chat.completion.chunk", "model": body["model"]}
    return {**_FRAME, **kind, "choices": [choice]}


def _logprobs(said: str, body: Body) -> Body | None:
    if not body.get("logprobs"):
        return None
    scored = [
        {"token": word, "logprob": -0.1, "bytes": list(word.encode()), "top_logprobs": []}
        for word in said.split()
    ]
    return {"content": scored, "refusal": None}


def _audio(said: str) -> Body:
    data = base64.b64encode(said.encode()).decode()
    return {"id": "audio_1", "data": data, "expires_at": 1_800_000_000, "transcript": said}
