"""The judge by agreement: do other attempts give the same answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.judge.answers import short_answer
from emafusion.judge.family import vote_weight
from emafusion.judge.grouping import groups_of

SOFT_LOW, SOFT_HIGH = 0.3, 0.7
"""Range of the value where only words are compared: never as sure as equal answers."""

_CHARS = 8_000
_WORD = re.compile(r"\w+")

CARD = JudgeCard(name="agreement", kind="agreement")


@dataclass(frozen=True, slots=True)
class AgreementJudge:
    """Value: weighted share of the other attempts whose short answer equals this one's.

    A peer of the same model or family counts less. Where no attempt has a short answer (prose,
    code) the value is the mean overlap of words, squeezed into 0.3..0.7. Abstains with no peer,
    and where one has a short answer and the other has none. Agreement is never proof: cheap models
    agree on the popular wrong answer.
    """

    @property
    def card(self) -> JudgeCard:
        """Name `agreement`, free: the peers are paid for already."""
        return CARD

    def judge(self, case: Case) -> Flow[Judgement]:
        """Read one attempt against the others; yields nothing."""
        yield from ()  # a flow that wants nothing done
        value, verdict = agreement(case)
        return Judgement(judge="agreement", attempt=case.attempt, value=value, verdict=verdict)


def agreement(case: Case) -> tuple[float | None, str]:
    """Value and why; see `AgreementJudge`."""
    subject = case.subject.reply
    peers = [
        a for i, a in enumerate(case.evidence.attempts) if i != case.attempt and a.reply is not None
    ]
    if subject is None or not peers:
        return None, "no other answer"
    key = short_answer(case.query, subject)
    keys = [None if p.reply is None else short_answer(case.query, p.reply) for p in peers]
    if key is None:
        return _by_words(subject, [p for p, k in zip(peers, keys, strict=True) if k is None])
    keyed = [(p, k) for p, k in zip(peers, keys, strict=True) if k is not None]
    return _by_key(case, key, keyed)


def _by_key(case: Case, key: str, keyed: list[tuple[Attempt, str]]) -> tuple[float | None, str]:
    if not keyed:
        return None, "no other short answer"
    name = case.subject.candidate
    own, *groups = groups_of([key, *(k for _, k in keyed)])
    weights = [vote_weight(name, p.candidate, case.candidates) for p, _ in keyed]
    agreeing = sum(w for w, g in zip(weights, groups, strict=True) if g == own)
    count = sum(g == own for g in groups)
    return agreeing / sum(weights), f"{count} of {len(groups)} others agree"


def _by_words(subject: Reply, peers: list[Attempt]) -> tuple[float | None, str]:
    own = _words(subject)
    if not peers or not own:
        return None, "no other answer of this form"
    shares = [_overlap(own, _words(p.reply)) for p in peers if p.reply is not None]
    mean = sum(shares) / len(shares)
    return SOFT_LOW + (SOFT_HIGH - SOFT_LOW) * mean, f"words overlap by {mean:.2f}"


def _words(reply: Reply) -> frozenset[str]:
    return frozenset(_WORD.findall(reply.choices[0].text[:_CHARS].casefold()))


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Dice overlap of two sets of words, 0..1."""
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 0.0
