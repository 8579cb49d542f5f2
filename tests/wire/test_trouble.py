"""What providers' errors mean: kind of failure, patience, and no keys in the message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import (
    ContextTooLong,
    Failure,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
)
from emafusion.wire.error_body import read_trouble
from emafusion.wire.mask import mask
from emafusion.wire.patience import LONGEST_S, retry_after_s


def failure(status: int, body: str, **headers: str) -> Failure:
    """What a body means, whoever wrote it."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    found = read_trouble(body.encode()).failure(status, names, now=0.0)
    assert found.upstream_status == status
    return found


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # OpenAI
        (401, '{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}', Unauthorized),
        (429, '{"error":{"message":"Rate limit","code":"rate_limit_exceeded"}}', RateLimited),
        (429, '{"error":{"message":"quota","code":"insufficient_quota"}}', Unauthorized),
        (
            400,
            (
                '{"error":{"message":"This model\'s maximum context length is 8192 tokens.",'
                '"type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}'
            ),
            ContextTooLong,
        ),
        (400, '{"error":{"message":"Bad","type":"invalid_request_error"}}', Rejected),
        (404, '{"error":{"message":"no such model","code":"model_not_found"}}', Rejected),
        (500, '{"error":{"message":"The server had an error"}}', Overloaded),
        (503, "<html><body>Service <b>Unavailable</b></body></html>", Overloaded),
        # Anthropic
        (529, '{"type":"error","error":{"type":"overloaded_error","message":"O"}}', Overloaded),
        (429, '{"type":"error","error":{"type":"rate_limit_error","message":"R"}}', RateLimited),
        (413, '{"type":"error","error":{"type":"request_too_large","message":""}}', ContextTooLong),
        (
            400,
            (
                '{"type":"error","error":{"type":"invalid_request_error",'
                '"message":"prompt is too long: 204800 tokens > 200000 maximum"}}'
            ),
            ContextTooLong,
        ),
        (
            400,
            (
                '{"type":"error","error":{"type":"invalid_request_error",'
                '"message":"Your credit balance is too low to access the API."}}'
            ),
            Unauthorized,
        ),
        (504, '{"type":"error","error":{"type":"timeout_error","message":"T"}}', TimedOut),
        # Gemini
        (
            400,
            (
                '{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",'
                '"details":[{"@type":"ErrorInfo","reason":"API_KEY_INVALID"}]}}'
            ),
            Unauthorized,
        ),
        (
            400,
            (
                '{"error":{"code":400,"status":"INVALID_ARGUMENT","message":'
                '"The input token count (1048577) exceeds the maximum number of tokens allowed"}}'
            ),
            ContextTooLong,
        ),
        (403, '[{"error":{"code":403,"status":"PERMISSION_DENIED"}}]', Unauthorized),
        (503, '{"error":{"code":503,"status":"UNAVAILABLE","message":"busy"}}', Overloaded),
        # Others
        (422, '{"detail":[{"loc":["body","n"],"msg":"extra"}]}', Rejected),
        (402, '{"error":{"message":"Insufficient Balance"}}', Unauthorized),
        (400, '{"object":"error","message":"context window exceeded","code":400}', ContextTooLong),
        (408, "", TimedOut),
        (302, "", Rejected),
    ],
)
def test_an_error_has_its_kind(status: int, body: str, kind: type[Failure]) -> None:
    """Whether a retry makes sense is in the type."""
    assert type(failure(status, body)) is kind


def test_a_quota_message_of_gemini_is_a_rate_limit_with_its_delay() -> None:
    """Its text speaks of billing at every limit; the delay is in the details."""
    found = failure(
        429,
        '{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current '
        'quota, please check your plan and billing details.","details":[{"@type":"QuotaFailure"},'
        '{"@type":"RetryInfo","retryDelay":"34.07s"}]}}',
    )
    assert type(found) is RateLimited
    assert found.retry_after_s == pytest.approx(34.07)


@pytest.mark.parametrize(
    ("headers", "now", "wait"),
    [
        ({"retry-after": "2"}, None, 2.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, None, 1.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 30.0, 30.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 90.0, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, None, None),
        ({"retry-after": "soon"}, 0.0, None),
        ({"retry-after": "Thu, 31 Feb 1970 00:01:00 GMT"}, 0.0, None),
        ({"retry-after": "Thu, 01 Mai 1970 00:01:00 GMT"}, 0.0, None),
        ({"retry-after": "1970-01-01T00:01:00"}, 0.0, 60.0),
        ({"retry-after": "-1"}, 0.0, None),
        ({"retry-after": "nan"}, 0.0, None),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "5",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "0",
            },
            None,
            360.0,
        ),
        ({"x-ratelimit-reset-requests": "20ms"}, None, 0.02),
        (
            {
                "anthropic-ratelimit-tokens-reset": "1970-01-01T00:00:45Z",
                "anthropic-ratelimit-tokens-remaining": "0",
            },
            5.0,
            40.0,
        ),
        ({"retry-after": "-5"}, 0.0, None),
        ({"retry-after": "1_000"}, 0.0, None),
        ({"retry-after": "1e3"}, 0.0, None),
        ({"retry-after": "inf"}, 0.0, None),
        ({"retry-after": "9" * 400}, 0.0, LONGEST_S),
        ({"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, 0.0, LONGEST_S),
        ({}, 0.0, None),
    ],
)
def test_patience_is_read_from_any_header(
    headers: dict[str, str], now: float | None, wait: float | None
) -> None:
    """Seconds, milliseconds, dates and resets; None where nothing is said."""
    assert retry_after_s(headers, now=now) == (None if wait is None else pytest.approx(wait))


@given(
    st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"]),
    st.text() | st.from_regex(r"[0-9:.T+Z-]{4,30}|[A-Z][a-z]{2}, [0-9]{2} [JA][a-z]{2} .*"),
)
def test_no_header_text_breaks_patience(name: str, text: str) -> None:
    """It is a number of seconds or nothing."""
    wait = retry_after_s({name: text}, now=0.0)
    assert wait is None or wait >= 0


def test_a_final_failure_asks_for_no_patience() -> None:
    """A header on an error that will come again is not advice."""
    assert failure(400, "{}", retry_after="2").retry_after_s is None


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghij1234567890",
        "sk-ant-api03-abcDEF_123-xyz",
        "AIzaSyA1234567890abcdefghijklmnopqrstu",
        "gsk_abcdefghij1234567890",
        "xai-abcdefghij1234567890",
        "hf_abcdefghijklmnop",
        "0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
@pytest.mark.parametrize(
    "text", ["Incorrect API key provided: {}.", "key {} refused", "url ?key={}&x=1", "Bearer {}"]
)
def test_no_key_gets_into_a_message(key: str, text: str) -> None:
    """Whatever looks like a key is masked, wherever it stands."""
    body = '{"error":{"message":"' + text.format(key) + '"}}'
    assert key not in str(failure(401, body))
    assert key not in str(failure(500, text.format(key)))


@given(st.text())
def test_a_message_is_one_short_line(text: str) -> None:
    """No text breaks a log line."""
    line = mask(text)
    assert len(line) <= 400
    assert len(line.splitlines()) <= 1
    assert line.isprintable()


@given(st.integers(300, 599), st.binary())
def test_any_error_body_is_a_failure(status: int, body: bytes) -> None:
    """Nothing that a server answers is a bug of ours."""
    found = read_trouble(body).failure(status, {})
    assert isinstance(found, Failure)
    assert str(found)
