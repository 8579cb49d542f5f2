"""Hands out answers to look at, to several people at once, and keeps what they say.

An answer is with one person at a time. Who says something about it has it kept at once; who goes
away leaves it to the next one, some time later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from emafusion.store.feedback.feedback import Feedback, Source
from emafusion.store.feedback.question import Drawn, Question, choose, question_of
from emafusion.store.filter import Filter
from emafusion.store.reading import Reader

LEASE_S = 900.0
"""Seconds that an answer stays with somebody who says nothing."""


@dataclass(slots=True, kw_only=True)
class Seat:
    """One person. `at`: what lies before them, since when; `done`: what they have dealt with.

    `told`: what came of the last thing they did. `again`: what they had said of it before.
    """

    at: Drawn | None = None
    since: float = 0.0
    done: list[Drawn] = field(default_factory=list[Drawn])
    told: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How a draw stands: `drawn` answers, of which so many are `labelled`, `skipped`, `left`.

    `elsewhere`: of those left, with other people just now.
    """

    drawn: int
    labelled: int
    skipped: int
    left: int
    elsewhere: int


@dataclass(slots=True, kw_only=True)
class Desk:
    """Answers of one log, for people to look at. Not for two threads at once.

    `among`: which answers, and what they lack; `wanted`: so many are drawn at a time;
    `keep`: keeps a label. `kept`: scores that were given, by answer.
    """

    reader: Reader
    keep: Callable[[Feedback], None]
    among: Filter
    source: Source = "label"
    wanted: int = 20
    chance: Random = field(default_factory=Random)
    clock: Callable[[], float] = time.time
    kept: dict[str, float] = field(default_factory=dict[str, float], init=False)
    skipped: set[str] = field(default_factory=set[str], init=False)
    _drawn: dict[str, Drawn] = field(default_factory=dict[str, Drawn], init=False)
    _left: dict[str, Drawn] = field(default_factory=dict[str, Drawn], init=False)
    _seats: dict[str, Seat] = field(default_factory=dict[str, Seat], init=False)

    def draw(self) -> tuple[Drawn, ...]:
        """Draw anew, where nothing is left of the last draw; gives what is left now.

        Raises `BadInput` where the log keeps no texts, `StoreError` where it cannot be read.
        """
        if self._left:
            return tuple(self._left.values())
        evenly = self.source == "audit"
        found = choose(self.reader, self.among, self.wanted, evenly=evenly, chance=self.chance)
        self._drawn = {each.decision_id: each for each in found}
        self._left = dict(self._drawn)
        return tuple(found)

    @property
    def left(self) -> int:
        """How many of those drawn nobody has dealt with."""
        return len(self._left)

    def seat(self, who: str) -> Seat:
        """The place of a person."""
        return self._seats.setdefault(who, Seat())

    def question(self, who: str) -> Question | None:
        """What lies before a person; None where nothing is left for them."""
        seat = self.seat(who)
        question = None if seat.at is None else self._read(seat.at)
        if question is None:
            return self._next(seat)
        seat.since = self.clock()
        return question

    def say(self, who: str, decision_id: str, score: float) -> None:
        """Keep what a person says of what lies before them: 0..1."""
        seat = self.seat(who)
        at = self._taken(seat, decision_id)
        if at is not None:
            self.keep(
                Feedback(
                    decision_id=decision_id,
                    created_at=self.clock(),
                    source=self.source,
                    score=score,
                    propensity=at.chance,
                )
            )
            self.kept[decision_id] = score
            self.skipped.discard(decision_id)
            seat.told = f"Kept as {word_of(score)}."

    def skip(self, who: str, decision_id: str) -> None:
        """Leave what lies before a person as it is; it is not asked about again in this draw."""
        seat = self.seat(who)
        if self._taken(seat, decision_id) is not None:
            if decision_id not in self.kept:
                self.skipped.add(decision_id)
            seat.told = "Skipped." if decision_id not in self.kept else "Left as it was."

    def back(self, who: str) -> None:
        """Put before a person what they dealt with last; what they say then counts instead."""
        seat = self.seat(who)
        if seat.done:
            seat.at, seat.since, seat.again = seat.done.pop(), self.clock(), True
            seat.told = ""

    def take_over(self, who: str) -> None:
        """Give a person what has been with another for longest, where nothing else is left."""
        seat, others = self.seat(who), self._elsewhere(who)
        if seat.at is None and others and len(others) == len(self._left):
            other = min(others, key=lambda each: each.since)
            seat.at, other.at = other.at, None
            seat.since, other.told = self.clock(), "Somebody else has taken the last one over."

    def count(self, who: str) -> Count:
        """How the draw stands, as seen by a person."""
        return Count(
            drawn=len(self._drawn),
            labelled=sum(name in self.kept for name in self._drawn),
            skipped=sum(name in self.skipped for name in self._drawn),
            left=len(self._left),
            elsewhere=len(self._elsewhere(who)),
        )

    def _next(self, seat: Seat) -> Question | None:
        """The first of what is left that is with nobody and still lacks a label."""
        now = self.clock()
        busy = {
            other.at.decision_id: other
            for other in self._seats.values()
            if other is not seat and other.at is not None
        }
        for name, each in list(self._left.items()):
            other = busy.get(name)
            if other is not None and now - other.since < LEASE_S:
                continue
            question = self._read(each) if self._is_open(each) else None
            if question is None:
                del self._left[name], self._drawn[name]
                continue
            if other is not None:
                other.at = None
            seat.at, seat.since, seat.again = each, now, False
            return question
        return None

    def _taken(self, seat: Seat, decision_id: str) -> Drawn | None:
        """What lies before a person, if it is this; it is dealt with then."""
        at = seat.at
        if at is None or at.decision_id != decision_id:
            seat.told = "That one was dealt with before; nothing has changed."
            return None
        seat.at, seat.again = None, False
        seat.done.append(at)
        self._left.pop(decision_id, None)
        return at

    def _elsewhere(self, who: str) -> list[Seat]:
        return [
            seat
            for name, seat in self._seats.items()
            if name != who and seat.at is not None and seat.at.decision_id in self._left
        ]

    def _read(self, each: Drawn) -> Question | None:
        """The answer with its question; None where the log has forgotten it."""
        record = self.reader.get(each.decision_id)
        return None if record is None else question_of(record, each.chance)

    def _is_open(self, each: Drawn) -> bool:
        """Whether nobody has said meanwhile what is asked for."""
        kinds = {"audit"} if self.source == "audit" else {"label", "audit"}
        return all(said.source not in kinds for said in self.reader.opinions(each.decision_id))


def word_of(score: float) -> str:
    """A score in words.

    >>> word_of(1.0), word_of(0.0), word_of(0.25)
    ('right', 'wrong', '0.25')
    """
    return {1.0: "right", 0.0: "wrong"}.get(score, f"{score:g}")
