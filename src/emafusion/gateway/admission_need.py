"""What a request may take at most, before any call: tokens and US dollars.

Stated bounds, on the safe side, not predictions: what was held too much comes back when the request
is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from emafusion.domain.attempt import Usage
from emafusion.domain.evidence import JudgeCard
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Pricer
from emafusion.domain.query import ImagePart, Message, Part, Query, TextPart

BYTES_PER_TOKEN = 3.0
"""Few texts have fewer: English 4 to 5, code 3.5, Chinese 3 to 4 in UTF-8."""

MESSAGE_TOKENS, IMAGE_TOKENS, OPAQUE_TOKENS = 8, 1600, 20_000
"""Of a message beside its text, of an image, and of any other part at most."""

COMPLETION, THOUGHT = 1024, 4096
"""Completion tokens where the request sets no limit: of a model that answers at once, and of one
that thinks first."""

CPU_S, CPU_S_PER_PROMPT, CPU_S_PER_COMPLETION = 1.0, 0.005, 0.05
"""CPU seconds of a model on this machine: a call, and each token."""


JUDGED_TOKENS = 600
"""Tokens that the stated fee of a judge is for; it grows with what is read."""


class Need(Struct, frozen=True, kw_only=True):
    """The most that a request is expected to take.

    `tokens`: prompt and completion of one call. `usd`: of the whole request, all looks and judges;
    `calls_usd`: of one call, by candidate, without those whose price is unknown; `judge_usd`: of
    one judgement whose cost is unknown afterwards.
    """

    tokens: int
    usd: float = 0.0
    calls_usd: Mapping[str, float] = {}
    judge_usd: float = 0.0


def need_of(
    query: Query,
    candidates: Sequence[Candidate],
    *,
    cards: Sequence[JudgeCard],
    pricer: Pricer,
    looks: int,
) -> Need:
    """What a query may take with these candidates, each asked once at most.

    The dearest `looks` of them are asked, every answer is read by every judge, and what is read is
    as long as the longest answer.
    """
    tokens = tokens_of(query, candidates)
    calls = calls_usd(query, candidates, pricer)
    judge_usd = sum(card.cost_usd or 0.0 for card in cards) * max(1.0, tokens / JUDGED_TOKENS)
    dearest = sorted(calls.values(), reverse=True)[:looks]
    usd = sum(dearest) + len(dearest) * judge_usd
    return Need(tokens=tokens, usd=usd, calls_usd=calls, judge_usd=judge_usd)


def tokens_of(query: Query, candidates: Sequence[Candidate]) -> int:
    """Prompt and completion tokens of one call to any of these candidates, at most."""
    said = max((completion_tokens(query, each) for each in candidates), default=0)
    return prompt_tokens(query) + said


def prompt_tokens(query: Query) -> int:
    """Tokens of the whole conversation and its tools, at most.

    >>> from emafusion.domain.query import ask
    >>> prompt_tokens(ask("What is the capital of Norway?"))
    18
    """
    size = sum(_message_bytes(message) for message in query.messages)
    size += sum(len(t.name) + len(t.description) + len(t.schema or b"") for t in query.tools)
    size += len(query.format.schema or b"")
    fixed = len(query.messages) * MESSAGE_TOKENS
    parts = (part for message in query.messages for part in message.parts)
    return fixed + int(size / BYTES_PER_TOKEN) + sum(_part_tokens(part) for part in parts)


def completion_tokens(query: Query, candidate: Candidate) -> int:
    """Tokens that a candidate may say, at most: as the request says, else what is typical."""
    asked, most = query.settings.max_tokens, candidate.model.max_completion_tokens
    thinks = "reasoning" in candidate.model.abilities
    each = (THOUGHT if thinks else COMPLETION) if asked is None else asked
    return (each if most is None else min(each, most)) * max(1, query.settings.n)


def calls_usd(query: Query, candidates: Iterable[Candidate], pricer: Pricer) -> dict[str, float]:
    """US dollars of one call to each candidate, at most; those of unknown price are left out."""
    prompt = prompt_tokens(query)
    costs = (
        (c.name, _call_usd(prompt, completion_tokens(query, c), c, pricer=pricer))
        for c in candidates
    )
    return {name: usd for name, usd in costs if usd is not None}


def _call_usd(
    prompt: int, completion: int, candidate: Candidate, *, pricer: Pricer
) -> float | None:
    price = candidate.model.price
    dearer = price is not None and price.cache_write_usd_per_mtok is not None
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cache_write_tokens=prompt if dearer else 0,
        cpu_s=CPU_S + CPU_S_PER_PROMPT * prompt + CPU_S_PER_COMPLETION * completion,
    )
    plain = Usage(prompt_tokens=prompt, completion_tokens=completion, cpu_s=usage.cpu_s)
    known = [usd for usd in (pricer(usage, price), pricer(plain, price)) if usd is not None]
    return max(known) if known else None


def _message_bytes(message: Message) -> int:
    texts = (part.text for part in message.parts if isinstance(part, TextPart))
    said = sum(len(text.encode("utf-8", "replace")) for text in texts)
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    return said + calls


def _part_tokens(part: Part) -> int:
    if isinstance(part, TextPart):
        return 0
    if isinstance(part, ImagePart):
        return IMAGE_TOKENS
    return min(int(len(part.raw) / BYTES_PER_TOKEN), OPAQUE_TOKENS)
