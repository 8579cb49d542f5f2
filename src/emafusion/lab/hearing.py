"""Hearing judges on recorded answers: all of them, or one after another while it pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emafusion.build.replaying import Stage
from emafusion.domain.attempt import Attempt
from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.ports import Judge
from emafusion.judge.beside import NOTHING
from emafusion.judge.curve import logit
from emafusion.judge.panel import LogOddsPanel
from emafusion.lab.bench import Bench, Heard
from emafusion.lab.grading import tasks_of
from emafusion.lab.rounds import Rounds
from emafusion.lab.stakes import Spend, Stake
from emafusion.policy.reading import Reader
from emafusion.replay.driver import run
from emafusion.replay.recorded import RecordedAnswers, reply_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """Where judges are heard.

    `free`: judges that read an answer's text; `graded`: those whose grades were recorded; `stake`:
    None to hear every one.
    """

    stage: Stage
    panel: LogOddsPanel
    reader: Reader
    free: tuple[Judge, ...]
    graded: tuple[Judge, ...]
    stake: Stake | Spend | None = None

    def hear(self, places: Sequence[tuple[int, int]], qualities: Sequence[float]) -> list[Heard]:
        """Judge answers by their places in the records; `qualities`: what was predicted of each.

        Raises `BadInput` where the price of a judge is unknown and a stake needs it.
        """
        benches = [self._bench(*each) for each in zip(places, qualities, strict=True)]
        queries: dict[int, list[Bench]] = {}
        for (query, _), bench in zip(places, benches, strict=True):
            queries.setdefault(query, []).append(bench)
        if self.stake is None:
            for bench in benches:
                self._ask(bench, *bench.said)
        else:
            self._rounds(self.stake).run(list(queries.values()))
        pairs = zip(places, benches, strict=True)
        return [bench.heard(queries[query]) for (query, _), bench in pairs]

    def _rounds(self, stake: Stake | Spend) -> Rounds:
        heads = self.panel.state.heads
        return Rounds(
            stake=stake,
            reader=self.reader,
            measured=frozenset(() if heads is None else heads.names),
            ask=self._ask,
        )

    def _bench(self, place: tuple[int, int], quality: float) -> Bench:
        case = self._case(place)
        for judge in self.free if self._is_read(place) else ():
            case = _with(case, self._said(judge, case))
        said = {judge.card.name: self._said(judge, case) for judge in self.graded}
        said = {name: each for name, each in said.items() if each.value is not None}
        heads = self.panel.state.heads
        bench = Bench(
            case=case,
            quality=quality,
            said=said,
            cards=tuple(judge.card for judge in self.graded if judge.card.name in said),
            beside=NOTHING if heads is None else heads.beside_of(*reversed(tasks_of(case.query))),
        )
        self._ask(bench)
        return bench

    def _ask(self, bench: Bench, *names: str) -> None:
        """Hear these judges."""
        for name in names:
            bench.asked.append(name)
            bench.case = _with(bench.case, bench.said[name])
        bench.odds = logit(self.panel.confidences((bench.quality,), bench.case)[0] or 0.0)

    def _case(self, place: tuple[int, int]) -> Case:
        records = self.stage.records
        attempt = Attempt(candidate=records.models[place[1]], reply=reply_of(records, *place))
        return Case(
            query=records.queries[place[0]],
            evidence=Evidence(attempts=(attempt,), groups=(0,)),
            attempt=0,
            candidates=self.stage.candidates,
        )

    def _is_read(self, place: tuple[int, int]) -> bool:
        """Whether the text of an answer was recorded."""
        return self.stage.records.responses[int(self.stage.records.row[place])] is not None

    def _said(self, judge: Judge, case: Case) -> Judgement:
        return run(judge.judge(case), RecordedAnswers(self.stage.records))


def _with(case: Case, said: Judgement) -> Case:
    """The case with one judgement more."""
    evidence = Evidence(
        attempts=case.evidence.attempts,
        judgements=(*case.evidence.judgements, said),
        groups=case.evidence.groups,
    )
    return Case(
        query=case.query, evidence=evidence, attempt=case.attempt, candidates=case.candidates
    )
