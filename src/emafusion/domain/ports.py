"""Every port on one page: what a part must do to take its place. One method each.

A port is structural: any object with the method fits. Extra powers are extra protocols. What a
part must hold beyond its signature is checked by `emafusion.testing`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from emafusion.domain.attempt import Attempt, Delta, Usage
from emafusion.domain.command import Call, Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement, Plan, Signal, Situation
from emafusion.domain.features import Estimates, Features, Labels
from emafusion.domain.model import Candidate, Price
from emafusion.domain.outcome import Outcome
from emafusion.domain.piece import Split
from emafusion.domain.query import Query

Sink = Callable[[Delta], Awaitable[None]]
"""Where a live stream's events go, as they come; awaited, so a slow client slows its upstream."""

Pricer = Callable[[Usage, Price | None], float | None]
"""Usage and price -> cost_usd, None where anything needed is unknown."""

Grouper = Callable[[Query, tuple[Attempt, ...]], tuple[int, ...]]
"""Attempts -> for each the number of its group of equal answers, -1 where it failed, below -1 where
it has no short answer that another could equal."""


class Encoder(Protocol):
    """Query -> Features. Pure."""

    def encode(self, query: Query, /) -> Features:
        """Turn a query into numbers and labels."""
        ...


class Estimator(Protocol):
    """Features x candidates -> Estimates. Pure; independent of the candidates' order."""

    def estimate(self, features: Features, candidates: tuple[Candidate, ...], /) -> Estimates:
        """Predict quality, cost and latency of each candidate on this query."""
        ...


class Policy(Protocol):
    """Situation -> Plan. Pure: chance comes from a generator seeded by (seed, query_id)."""

    def plan(self, situation: Situation, /) -> Plan:
        """Say what to do next, with its propensity and why."""
        ...


class Judge(Protocol):
    """Case -> Judgement; a flow, since it may call a model. Abstains rather than guesses."""

    @property
    def card(self) -> JudgeCard:
        """Name, kind and expected cost."""
        ...

    def judge(self, case: Case, /) -> Flow[Judgement]:
        """Read one attempt."""
        ...


class Labeller(Protocol):
    """Query -> Labels by asking a model; a flow. Abstains rather than guesses."""

    @property
    def candidate(self) -> Candidate:
        """Whom it asks."""
        ...

    def label(self, query: Query, /) -> Flow[tuple[Attempt, Labels | None]]:
        """Ask once; None where the call failed or the reply cannot be read."""
        ...


class Splitter(Protocol):
    """Query -> its parts; a flow, since it may ask a model. Whole where it is not sure."""

    @property
    def cost_usd(self) -> float | None:
        """Expected of one splitting; 0 where nobody is asked, None where unknown."""
        ...

    def split(self, query: Query, /) -> Flow[Split]:
        """Split a query of several tasks; `WHOLE` where it is one, or that is in doubt."""
        ...


class Panel(Protocol):
    """Several judgements -> one calibrated probability for each attempt."""

    def confidences(self, qualities: Sequence[float], case: Case, /) -> tuple[float | None, ...]:
        """Probability of each attempt that it is acceptable, None where it failed.

        `qualities`: for each attempt what was predicted of its candidate before the call, 0..1.
        `case.attempt` is not looked at: all are weighed together, since equal answers support
        each other.
        """
        ...


class Explaining(Protocol):
    """A panel that can say how its confidences came about."""

    def signals(self, qualities: Sequence[float], case: Case, /) -> tuple[Signal, ...]:
        """What each signal made of each attempt's probability, in the order in which it counts.

        The last `after` of an attempt is its confidence.
        """
        ...


class Writer(Protocol):
    """Query and answers to it -> the query that asks a model to write one answer of them. Pure."""

    def question(self, query: Query, answers: tuple[Attempt, ...], /) -> Query:
        """Ask for one answer; what is quoted is data, whatever it says."""
        ...


class Comparer(Protocol):
    """Says which of two answers is better, by asking a model; a flow. Abstains, never guesses."""

    def compare(self, case: Case, rival: Attempt, /) -> Flow[tuple[Judgement, ...]]:
        """Compare the case's attempt with a rival in both orders.

        Values are 0..1 and above 0.5 where the rival is preferred; None where it abstains.
        """
        ...


class Upstream(Protocol):
    """Sends calls to one deployment. Failures come back as values; cancelling cancels the call."""

    async def send(self, call: Call, sink: Sink | None = None, /) -> Attempt:
        """Make the call; with a sink, stream, and pass on each event as it comes."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class Store(Protocol):
    """Keeps outcomes."""

    async def append(self, outcome: Outcome, /) -> None:
        """Return once the outcome is safe against the death of this process."""
        ...
