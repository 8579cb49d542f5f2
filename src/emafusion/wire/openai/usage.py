"""Token counts: everything that OpenAI-like servers call usage -> Usage, and back."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Usage

_Number = int | float | None


class _PromptDetails(Struct):
    cached_tokens: _Number = None
    cache_write_tokens: _Number = None
    cache_creation_tokens: _Number = None


class _CompletionDetails(Struct):
    reasoning_tokens: _Number = None


class _Usage(Struct):
    prompt_tokens: _Number = None
    completion_tokens: _Number = None
    total_tokens: _Number = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    # DeepSeek: hits and misses sum up to prompt_tokens.
    prompt_cache_hit_tokens: _Number = None
    # Moonshot puts it beside prompt_tokens.
    cached_tokens: _Number = None
    # Proxies in front of Anthropic.
    cache_read_input_tokens: _Number = None
    cache_creation_input_tokens: _Number = None
    # Our own local server.
    cpu_seconds: float | None = None


def decode_usage(raw: Raw | bytes, /) -> Usage | None:
    """Read a `usage` object; None where it is absent or makes no sense.

    Two habits are put right, so that the counts mean what `Usage` says: servers whose
    `prompt_tokens` leaves out cached tokens (then it is smaller than those), and servers whose
    `completion_tokens` leaves out reasoning (then the total is larger by just that).

    >>> decode_usage(b'{"prompt_tokens": 9, "completion_tokens": 2}').prompt_tokens
    9
    """
    data = bytes(raw)
    if data in (b"", b"null"):
        return None
    try:
        usage = msgspec.json.decode(data, type=_Usage)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if usage.prompt_tokens is None and usage.completion_tokens is None:
        return None
    return _usage(usage)


def encode_usage(usage: Usage, /) -> bytes:
    """Write a `usage` object in OpenAI's shape."""
    fields: dict[str, object] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_prompt_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    if usage.cpu_s is not None:
        fields["cpu_seconds"] = usage.cpu_s
    return msgspec.json.encode(fields)


def _usage(usage: _Usage) -> Usage:
    details = usage.prompt_tokens_details or _PromptDetails()
    cached = _first(
        details.cached_tokens,
        usage.prompt_cache_hit_tokens,
        usage.cached_tokens,
        usage.cache_read_input_tokens,
    )
    written = _first(
        details.cache_write_tokens,
        details.cache_creation_tokens,
        usage.cache_creation_input_tokens,
    )
    prompt = _first(usage.prompt_tokens)
    return Usage(
        prompt_tokens=prompt if prompt >= cached + written else prompt + cached + written,
        completion_tokens=_completion(usage, prompt),
        cached_prompt_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=_reasoning(usage),
        cpu_s=usage.cpu_seconds,
    )


def _completion(usage: _Usage, prompt: int) -> int:
    completion = _first(usage.completion_tokens)
    reasoning = _reasoning(usage)
    apart = completion < reasoning or (
        reasoning > 0 and _first(usage.total_tokens) == prompt + completion + reasoning
    )
    return completion + reasoning if apart else completion


def _reasoning(usage: _Usage) -> int:
    details = usage.completion_tokens_details
    return _first(details.reasoning_tokens) if details else 0


def _first(*counts: _Number) -> int:
    """Take the first count that is given, 0 if none is."""
    return max(0, int(next((count for count in counts if count is not None), 0)))
