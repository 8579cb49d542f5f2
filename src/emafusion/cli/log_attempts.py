"""An attempt of the log in words."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.store.feedback.question import given
from emafusion.store.record import AttemptRecord, UsageRecord


def attempt_lines(attempt: AttemptRecord) -> tuple[str, str]:
    """One line on the call, and the text that came back (empty where none did).

    >>> attempt_lines(AttemptRecord(candidate="small", failure="overloaded", latency_s=0.25))
    ('small: overloaded, cost unknown, 0.25 s', '')
    """
    return f"{one_line(attempt.candidate)}: {', '.join(_facts(attempt))}", given(attempt)


def _facts(attempt: AttemptRecord) -> Iterator[str]:
    if attempt.purpose != "answer":
        yield f"asked to {attempt.purpose}"
    if attempt.failure is not None:
        yield (
            attempt.failure
            if attempt.upstream_status is None
            else (f"{attempt.failure} (HTTP {attempt.upstream_status})")
        )
    elif attempt.finish is not None:
        yield f"ended by {attempt.finish}"
    if attempt.usage is not None:
        yield _usage(attempt.usage)
    yield "cost unknown" if attempt.cost_usd is None else dollars(attempt.cost_usd)
    yield f"{attempt.latency_s:.2f} s"
    if attempt.ttft_s is not None:
        yield f"first token after {attempt.ttft_s:.2f} s"
    if attempt.sent_live:
        yield "sent live"
    if attempt.mean_logprob is not None:
        yield f"mean logprob {attempt.mean_logprob:.2f}"
    if attempt.confidence is not None:
        yield f"confidence {attempt.confidence:.2f}"


def _usage(usage: UsageRecord) -> str:
    parts = (
        (usage.cached_prompt_tokens, "cached"),
        (usage.cache_write_tokens, "written to the cache"),
        (usage.reasoning_tokens, "of reasoning"),
    )
    special = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    tokens = f"{usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens"
    cpu = "" if usage.cpu_s is None else f", {usage.cpu_s:.2f} CPU s"
    return f"{tokens}{f' ({special})' if special else ''}{cpu}"
