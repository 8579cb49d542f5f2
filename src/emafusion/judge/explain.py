"""How a panel's confidence in each answer came about: one signal after another.

Nothing is taken apart that the panel puts together: the panel itself is asked, first with nothing
but what was predicted, then with one signal more each time. So `before` and `after` are always its
own numbers, and the last `after` is the confidence that the decision was made by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from emafusion.domain.evidence import Case, Evidence, Judgement, Signal
from emafusion.judge.asked import form_of
from emafusion.judge.curve import sigmoid
from emafusion.judge.grouping import NOTHING
from emafusion.judge.panel import WHOLE, LogOddsPanel
from emafusion.judge.state import KINDS, FormState, kind_of

PREDICTED, UNREAD, ALIKE, RIVALS = "predicted", "unread", "alike", "rivals"
"""Signals that are no judge's; see `domain.evidence.Signal`."""


def explain_confidence(
    panel: LogOddsPanel, qualities: Sequence[float], case: Case, /
) -> tuple[Signal, ...]:
    """What each signal made of each attempt's probability, attempts in their order.

    `qualities`: for each attempt what was predicted of its candidate, 0..1. An attempt that failed
    has no signals.
    """
    confidences = panel.confidences(qualities, case)
    found: list[Signal] = []
    for i, confidence in enumerate(confidences):
        if confidence is not None:
            found += _Account(panel, qualities, case).of(i, confidence)
    return tuple(found)


class _Account:
    """The account of one attempt after another of a case."""

    def __init__(self, panel: LogOddsPanel, qualities: Sequence[float], case: Case) -> None:
        self._panel = panel
        self._qualities = qualities
        self._case = case
        self._weights: FormState = panel.state.forms[form_of(case.query)]
        whole, groups = case.evidence, case.evidence.groups
        self._groups = groups if len(groups) == len(whole.attempts) else ()

    def of(self, i: int, confidence: float) -> Iterator[Signal]:
        """The signals of attempt i, in the order in which they count."""
        start, now = sigmoid(self._weights.bias), self._alone(i, (), unread=False)
        quality = self._qualities[i]
        yield self._signal(PREDICTED, i, quality, weight=self._weights.quality, steps=(start, now))
        if self._is_unread(i) and self._weights.unread < 1.0:
            then = self._alone(i, (), unread=True)
            share = self._weights.unread
            yield self._signal(UNREAD, i, share, weight=1.0, steps=(now, then))
            now = then
        heard: tuple[Judgement, ...] = ()
        for judgement in self._case.evidence.judgements:
            if judgement.attempt == i:
                heard = (*heard, *([judgement] if self._counts(i, judgement) else []))
                then = self._alone(i, heard, unread=self._is_unread(i))
                yield self._judged(judgement, (now, then), heard)
                now = then
        yield from self._compared(i, (now, confidence))

    def _compared(self, i: int, ends: tuple[float, float]) -> Iterator[Signal]:
        """What equal answers added, and what others took."""
        if not self._is_voting(i):
            return
        places = [j for j, group in enumerate(self._groups) if group >= 0]
        alike = [j for j in places if self._groups[j] == self._groups[i]]
        others = max(len(places) - 1, 1)
        now = ends[0]
        if len(alike) > 1:
            then = self._among(i, alike)
            share = (len(alike) - 1) / others
            yield self._signal(ALIKE, i, share, weight=self._weights.agree, steps=(now, then))
            now = then
        if len(alike) < len(places):
            share = (len(places) - len(alike)) / others
            weight = self._weights.oppose
            yield self._signal(RIVALS, i, share, weight=weight, steps=(now, ends[1]))

    def _is_unread(self, i: int) -> bool:
        return bool(self._groups) and self._groups[i] <= NOTHING

    def _is_voting(self, i: int) -> bool:
        return len(self._groups) > 1 and self._groups[i] >= 0

    def _counts(self, i: int, judgement: Judgement) -> bool:
        """Whether the panel hears it: where there is a vote, agreement is the vote's."""
        return not (self._is_voting(i) and kind_of(judgement.judge) == "agreement")

    def _alone(self, i: int, heard: tuple[Judgement, ...], *, unread: bool) -> float:
        """What the panel says of attempt i if nobody else had answered."""
        own = Evidence(
            attempts=(self._case.evidence.attempts[i],),
            judgements=tuple(replace(each, attempt=0) for each in heard),
            groups=(NOTHING if unread else 0,),
        )
        return self._asked([self._qualities[i]], own)

    def _among(self, i: int, alike: list[int]) -> float:
        """What it says of attempt i among those that gave the same answer."""
        order = [i, *(j for j in alike if j != i)]
        evidence, place = self._case.evidence, {j: k for k, j in enumerate(order)}
        some = Evidence(
            attempts=tuple(evidence.attempts[j] for j in order),
            judgements=tuple(
                replace(each, attempt=place[each.attempt])
                for each in evidence.judgements
                if each.attempt in place
            ),
            groups=(0,) * len(order),
        )
        return self._asked([self._qualities[j] for j in order], some)

    def _asked(self, qualities: list[float], evidence: Evidence) -> float:
        case = replace(self._case, evidence=evidence, attempt=0)
        return self._panel.confidences(qualities, case)[0] or 0.0

    def _judged(
        self, judgement: Judgement, steps: tuple[float, float], heard: tuple[Judgement, ...]
    ) -> Signal:
        kind = kind_of(judgement.judge)
        weight = self._weights.kinds[KINDS.index(kind)] if kind in KINDS else float(kind in WHOLE)
        models = {e.judge for e in heard if e.value is not None and kind_of(e.judge) == "llm"}
        is_heard = judgement.judge in models
        if is_heard:
            weight = self._panel.weight(judgement.judge, models, self._case.query)
        return Signal(
            name=judgement.judge,
            attempt=judgement.attempt,
            value=judgement.value,
            weight=weight,
            before=steps[0],
            after=steps[1],
            cost_usd=judgement.cost_usd,
            effective=self._panel.effective(models) if is_heard else None,
        )

    @staticmethod
    def _signal(
        name: str, i: int, value: float, *, weight: float, steps: tuple[float, float]
    ) -> Signal:
        before, after = steps
        return Signal(name=name, attempt=i, value=value, weight=weight, before=before, after=after)
