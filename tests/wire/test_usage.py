"""Token counts of every provider, cached and reasoning tokens included, mean the same to us."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Usage
from emafusion.wire.anthropic import AnthropicDialect
from emafusion.wire.gemini import GeminiDialect
from emafusion.wire.openai.usage import decode_usage, encode_usage

Json = dict[str, object]

OPENAI: list[tuple[str, Json, Usage]] = [
    (
        "OpenAI: details inside",
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 192},
        },
        Usage(
            prompt_tokens=2006,
            completion_tokens=300,
            cached_prompt_tokens=1920,
            reasoning_tokens=192,
        ),
    ),
    (
        "DeepSeek: hits and misses",
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
        },
        Usage(prompt_tokens=100, completion_tokens=5, cached_prompt_tokens=64),
    ),
    (
        "OpenRouter: writes as well",
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "cost": 0.1,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 50},
        },
        Usage(
            prompt_tokens=100, completion_tokens=5, cached_prompt_tokens=10, cache_write_tokens=50
        ),
    ),
    (
        "Moonshot: beside the count",
        {"prompt_tokens": 19, "completion_tokens": 2, "cached_tokens": 10},
        Usage(prompt_tokens=19, completion_tokens=2, cached_prompt_tokens=10),
    ),
    (
        "A proxy with Anthropic's names, cache counted in",
        {
            "prompt_tokens": 100,
            "completion_tokens": 2,
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 30,
        },
        Usage(
            prompt_tokens=100, completion_tokens=2, cached_prompt_tokens=60, cache_write_tokens=30
        ),
    ),
    (
        "The same, cache counted apart",
        {
            "prompt_tokens": 10,
            "completion_tokens": 2,
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 30,
        },
        Usage(
            prompt_tokens=100, completion_tokens=2, cached_prompt_tokens=60, cache_write_tokens=30
        ),
    ),
    (
        "xAI: reasoning counted apart, as the total shows",
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        Usage(prompt_tokens=32, completion_tokens=103, reasoning_tokens=94),
    ),
    (
        "Our local server",
        {"prompt_tokens": 5, "completion_tokens": 2, "cpu_seconds": 0.25},
        Usage(prompt_tokens=5, completion_tokens=2, cpu_s=0.25),
    ),
    (
        "Null details",
        {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": None},
        Usage(prompt_tokens=5, completion_tokens=2),
    ),
]


@pytest.mark.parametrize(("_who", "given_counts", "usage"), OPENAI, ids=[row[0] for row in OPENAI])
def test_openai_like_counts(_who: str, given_counts: Json, usage: Usage) -> None:
    """Prompt counts include the cache, completion counts include reasoning."""
    assert decode_usage(msgspec.json.encode(given_counts)) == usage


@pytest.mark.parametrize("raw", [b"", b"null", b"{}", b"3", b'{"prompt_tokens": "many"}'])
def test_no_counts_are_unknown_not_zero(raw: bytes) -> None:
    """What is not said is None."""
    assert decode_usage(raw) is None


COUNTS = st.integers(0, 10**6)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.none() | st.floats(0, 100))
def test_usage_written_is_read_back(
    fresh: int, cached: int, spoken: int, thought: int, cpu_s: float | None
) -> None:
    """Our own counts survive the round trip through the wire."""
    usage = Usage(
        prompt_tokens=fresh + cached,
        completion_tokens=spoken + thought,
        cached_prompt_tokens=cached,
        reasoning_tokens=thought,
        cpu_s=cpu_s,
    )
    assert decode_usage(encode_usage(usage)) == usage


@given(st.dictionaries(st.sampled_from(sorted(OPENAI[0][1])), COUNTS | st.floats(0, 1e6)), COUNTS)
def test_parts_never_exceed_the_whole(given_counts: Json, cached: int) -> None:
    """Whatever a server says, the convention holds."""
    body = given_counts | {
        "prompt_tokens": given_counts.get("prompt_tokens", 0),
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": cached // 2},
    }
    usage = decode_usage(msgspec.json.encode(body))
    assert usage is not None
    assert usage.prompt_tokens >= usage.cached_prompt_tokens + usage.cache_write_tokens
    assert usage.completion_tokens >= usage.reasoning_tokens


def test_anthropic_counts_the_cache_apart() -> None:
    """There `input_tokens` is only what comes after the cached part; ours is the whole."""
    body = msgspec.json.encode(
        {
            "type": "message",
            "content": [],
            "usage": {
                "input_tokens": 50,
                "cache_read_input_tokens": 100_000,
                "cache_creation_input_tokens": 248,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 48,
                    "ephemeral_1h_input_tokens": 200,
                },
                "output_tokens": 503,
                "output_tokens_details": {"thinking_tokens": 400},
            },
        }
    )
    assert AnthropicDialect().reply(body).usage == Usage(
        prompt_tokens=100_298,
        completion_tokens=503,
        cached_prompt_tokens=100_000,
        cache_write_tokens=248,
        hour_write_tokens=200,
        reasoning_tokens=400,
    )


def test_gemini_counts_thoughts_apart() -> None:
    """There `candidatesTokenCount` leaves out thoughts, and the prompt includes the cache."""
    body = msgspec.json.encode(
        {
            "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
            "usageMetadata": {
                "promptTokenCount": 1000,
                "cachedContentTokenCount": 800,
                "candidatesTokenCount": 20,
                "thoughtsTokenCount": 300,
                "toolUsePromptTokenCount": 7,
                "totalTokenCount": 1327,
            },
        }
    )
    assert GeminiDialect().reply(body).usage == Usage(
        prompt_tokens=1007,
        completion_tokens=320,
        cached_prompt_tokens=800,
        reasoning_tokens=300,
    )
