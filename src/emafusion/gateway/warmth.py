"""Which models have a conversation in their provider's cache: what a switch would lose."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec import Struct

from emafusion.domain.attempt import Attempt, Usage
from emafusion.domain.evidence import Evidence
from emafusion.domain.model import Candidate

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
    """Remembers, by conversation, which candidates read it lately and how many tokens of it.

    `tell`: told of every reading, for other workers and replicas; None where there are none.
    """

    tell: Callable[[str, Mapping[str, int]], None] | None = None
    _held: OrderedDict[str, _Held] = field(default_factory=OrderedDict[str, _Held])

    def of(self, conversation: str, *, now_s: float) -> Mapping[str, int]:
        """Tokens of this conversation that are expected in each candidate's cache."""
        held = self._held.get(conversation)
        return NOTHING if held is None or held.until_s < now_s else held.tokens

    def note(
        self,
        conversation: str,
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
        if not tokens:
            return
        self.remember(conversation, tokens, now_s=now_s)
        if self.tell is not None:
            self.tell(conversation, tokens)

    def remember(self, conversation: str, tokens: Mapping[str, int], *, now_s: float) -> None:
        """Remember who has read how many tokens of a conversation."""
        before = self._held.pop(conversation, None)
        if before is not None and before.until_s >= now_s:
            tokens = {**before.tokens, **tokens}
        self._held[conversation] = _Held(until_s=now_s + KEPT_S, tokens=tokens)
        while len(self._held) > REMEMBERED:
            self._held.popitem(last=False)

    def inherit(self, before: Warmth) -> None:
        """Remember what another one remembers, as older than what is known here."""
        self._held = OrderedDict((*before._held.items(), *self._held.items()))


def _cached(attempt: Attempt, candidate: Candidate) -> int:
    """Tokens of the prompt that its provider has in its cache now; 0 where that saves nothing."""
    price = candidate.model.price
    if attempt.reply is None or price is None or price.cached_prompt_usd_per_mtok is None:
        return 0
    usage = attempt.reply.usage or Usage()
    told = usage.cached_prompt_tokens + usage.cache_write_tokens
    count = told if told or candidate.model.provider in ASKED else usage.prompt_tokens
    return count if count >= LEAST_TOKENS else 0
