"""Which models have a conversation in their provider's cache: what a switch would lose.

A conversation is known by its session where the client names one, else by its own words: the next
request repeats what was sent before, up to the last answer.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec import Struct, json

from emafusion.domain.attempt import Attempt, Usage
from emafusion.domain.evidence import Evidence
from emafusion.domain.model import Candidate
from emafusion.domain.query import Message, Query

KEPT_S = 300.0
"""Seconds that a provider keeps a prompt at least."""

LEAST_TOKENS = 1_024
"""Prompts shorter than that are cached by nobody."""

ASKED = frozenset({"anthropic"})
"""Providers that cache only what they are told to: there only what they report counts."""

REMEMBERED = 10_000

NOTHING: Mapping[str, int] = MappingProxyType({})


class _Held(Struct, frozen=True, kw_only=True):
    until_s: float
    tokens: Mapping[str, int]


@dataclass(slots=True, eq=False)
class Warmth:
    """Remembers, by conversation, which candidates read it lately and how many tokens of it."""

    _held: OrderedDict[str, _Held] = field(default_factory=OrderedDict[str, _Held])

    def of(self, query: Query, session: str | None, *, now_s: float) -> Mapping[str, int]:
        """Tokens of this conversation that are expected in each candidate's cache."""
        if not self._held:
            return NOTHING
        key = _key(session, _before_last_answer(query.messages))
        held = None if key is None else self._held.get(key)
        return NOTHING if held is None or held.until_s < now_s else held.tokens

    def note(
        self,
        query: Query,
        session: str | None,
        evidence: Evidence,
        *,
        candidates: tuple[Candidate, ...],
        now_s: float,
    ) -> None:
        """Remember who has read this conversation, where reading it again would cost less."""
        called = {attempt.candidate: attempt for attempt in evidence.attempts}
        tokens = {
            candidate.name: count
            for candidate in candidates
            if candidate.name in called and (count := _cached(called[candidate.name], candidate))
        }
        key = _key(session, query.messages) if tokens else None
        if key is None:
            return
        before = self._held.pop(key, None)
        if before is not None and before.until_s >= now_s:
            tokens = {**before.tokens, **tokens}
        self._held[key] = _Held(until_s=now_s + KEPT_S, tokens=tokens)
        while len(self._held) > REMEMBERED:
            self._held.popitem(last=False)


def _cached(attempt: Attempt, candidate: Candidate) -> int:
    """Tokens of the prompt that its provider has in its cache now; 0 where that saves nothing."""
    price = candidate.model.price
    if attempt.reply is None or price is None or price.cached_prompt_usd_per_mtok is None:
        return 0
    usage = attempt.reply.usage or Usage()
    told = usage.cached_prompt_tokens + usage.cache_write_tokens
    count = told if told or candidate.model.provider in ASKED else usage.prompt_tokens
    return count if count >= LEAST_TOKENS else 0


def _key(session: str | None, messages: tuple[Message, ...]) -> str | None:
    """What the conversation is known by; None where it has neither a name nor a past."""
    if session is not None:
        return f"session:{session}"
    if not messages:
        return None
    return hashlib.blake2b(json.encode(messages), digest_size=16).hexdigest()


def _before_last_answer(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The conversation as it was sent when the last answer in it was asked for."""
    for i in range(len(messages) - 1, 0, -1):
        if messages[i].role == "assistant":
            return messages[:i]
    return ()
