"""Everything that a report shows, as plain values: what the page and the pictures are made from.

Shares, scores and confidences are in 0..1, money is in US dollars a query, times are in seconds.
What is unknown is None, never 0. The JSON of a report is a `Report` as it is.
"""

from __future__ import annotations

from msgspec import Struct

from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.summary import Summary

MIX = "random mix"
"""Name of the curve that needs no router: draws by lot between single models."""


class Head(Struct, frozen=True, kw_only=True):
    """What was replayed, by what, when.

    `table`: its name; `sha256`: of what was replayed, queries, answers, scores and costs;
    `artifact`: title and date of its card, `artifact_sha256`: first digits of its content;
    `date`: ISO; `transfer`: whether each data set was left out of the fit that answered it;
    `notes`: what the figures do not show, a sentence each, beyond what every replay does not show.
    """

    table: str
    artifact: str
    version: str
    date: str
    seed: int
    notes: tuple[str, ...] = ()
    sha256: str | None = None
    artifact_sha256: str | None = None
    transfer: bool = False


class Mark(Struct, frozen=True, kw_only=True):
    """A point of a curve. `setting`: of its dial; `name`: what stands there, if not a setting."""

    cost_usd: float
    accuracy: float
    setting: float | None = None
    name: str = ""


class Curve(Struct, frozen=True, kw_only=True):
    """A curve beside the dial's own: another policy, or random mixes of single models."""

    name: str
    marks: tuple[Mark, ...]


class Model(Struct, frozen=True, kw_only=True):
    """One model of the table on its own. `answers`: scored ones; `chosen`: share of answers given.

    `dearest`: whether it is the dearest of the pool.
    """

    name: str
    accuracy: Interval | None
    cost_usd: float | None
    answers: int
    chosen: float
    dearest: bool = False


class Cell(Struct, frozen=True, kw_only=True):
    """One model in one class: mean score, answers behind it, share of the class given to it.

    `score`: with Wilson's interval; None below `collect.FEWEST_OF_CELL` answers.
    """

    model: str
    kind: str
    score: Interval | None
    answers: int
    chosen: float


class Reliability(Struct, frozen=True, kw_only=True):
    """One bin of confidences: their mean, how many, and the share that was right.

    `accuracy`: that share with Wilson's interval.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: Interval


class Report(Struct, frozen=True, kw_only=True):
    """The whole report.

    `summary`: the dial, its baselines, what is reached at equal cost, and groups of queries;
    `shown`: the setting that models, cells and reliability are of; `axis`: what the classes of the
    cells are, such as `dataset`; `curves`: what stands beside the dial, the random mix last.
    """

    head: Head
    summary: Summary
    shown: float
    axis: str
    models: tuple[Model, ...]
    cells: tuple[Cell, ...]
    reliability: tuple[Reliability, ...]
    curves: tuple[Curve, ...] = ()
