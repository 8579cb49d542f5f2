"""Which parameters a query really uses: those it sets to something other than the default."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.query import OpaquePart, Query
from emafusion.wire.beyond import beyond_of

_DEFAULTS: dict[str, frozenset[bytes]] = {
    "modalities": frozenset({b'["text"]'}),
    "verbosity": frozenset({b'"medium"'}),
    "n": frozenset({b"1"}),
    "service_tier": frozenset({b'"auto"', b'"default"'}),
}
_EMPTY = frozenset({b"null", b"0", b"0.0", b"{}", b"[]", b"false", b'""'})

# They say how to deliver, store, bill or cache, not what the answer should be.
_BESIDES = frozenset(
    {
        "emafusion",
        "messages",
        "metadata",
        "model",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "user",
    }
)

_OUR_OWN = frozenset({"emafusion", "messages", "model", "stream", "stream_options"})


def asked_of(query: Query, /) -> frozenset[str]:
    """Names of the parameters, as OpenAI calls them."""
    return frozenset(_from_settings(query)) | frozenset(_from_origin(query))


def besides_of(query: Query, /) -> frozenset[str]:
    """Names of what is asked besides the answer: who is billed, what is kept, what is cached."""
    if query.origin is None or query.origin.dialect != "openai":
        return frozenset({"user"}) if query.user else frozenset()
    return frozenset(
        name
        for name, value in query.origin.fields
        if name in _BESIDES - _OUR_OWN and value not in _EMPTY | _DEFAULTS.get(name, frozenset())
    )


def custom_tools(query: Query, /) -> bool:
    """Whether the query has tools with free text as input, which only OpenAI knows."""
    given = dict(query.origin.fields).get("tools", b"") if query.origin else b""
    return b'"custom"' in given


def opaque_parts(query: Query, /) -> Iterator[tuple[str, OpaquePart]]:
    """Give the parts that only their own dialect understands, each with its place.

    Thoughts are left out where the query itself says that it came with some.
    """
    told = "thinking" in beyond_of(query)
    for n, message in enumerate(query.messages):
        for k, part in enumerate(message.parts):
            if isinstance(part, OpaquePart) and not (told and part.kind == "thinking"):
                yield f"messages[{n}].content[{k}]", part


def _from_settings(query: Query) -> Iterator[str]:
    settings = query.settings
    used = {
        "temperature": settings.temperature is not None,
        "top_p": settings.top_p is not None,
        "n": settings.n > 1,
        "stop": bool(settings.stop),
        "seed": settings.seed is not None,
        "logprobs": settings.logprobs,
        "top_logprobs": bool(settings.top_logprobs),
        "tool_choice": settings.tool_choice is not None,
        "parallel_tool_calls": settings.parallel_tool_calls is not None,
        "reasoning_effort": settings.reasoning_effort is not None,
        "response_format": query.format.kind != "text",
        "tools": bool(query.tools),
    }
    yield from (name for name, is_used in used.items() if is_used)


def _from_origin(query: Query) -> Iterator[str]:
    """Name the fields of the client's body, if it spoke OpenAI's dialect, that the nouns lack."""
    if query.origin is None or query.origin.dialect != "openai":
        return
    for name, value in query.origin.fields:
        if name in _BESIDES or name in _IN_NOUNS:
            continue
        if value not in _EMPTY and value not in _DEFAULTS.get(name, frozenset()):
            yield name


_IN_NOUNS = frozenset(
    {
        "function_call",
        "functions",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
    }
)
