"""The panel by itself: how far each recorded answer can be trusted, what the judges are worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from emafusion.build.judging import FREE_JUDGES
from emafusion.build.parts import learned_from
from emafusion.build.replaying import estimator_of
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.estimate.names import canonical
from emafusion.judge.panel import LogOddsPanel, n_eff
from emafusion.lab.grading import Grades, grades_of
from emafusion.lab.hearing import Room
from emafusion.lab.reading import whole, whole_grades
from emafusion.lab.replaying import Asked, stage_of
from emafusion.lab.stakes import Spend, Stake
from emafusion.learn.panel.figures import auc, ece
from emafusion.policy.reading import Reader
from emafusion.replay.grades import judges_of
from emafusion.replay.guarantee.powered import Mean, powered_mean
from emafusion.replay.records import records_of
from emafusion.store.artifact import Artifact
from emafusion.tables.query import query_of

if TYPE_CHECKING:
    import polars as pl

ALONE = ("rules", "logprob")
"""Free judges that read one answer by itself."""

RIGHT = 0.99

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """N answers in the order of query and model.

    `confidence`: float64[N]; `alone`: float64[N], without the other answers to a query;
    `asked`: names of the model judges that were heard; `cost_usd`: float64[N] of those, NaN
    where unknown; `score`: float64[N], NaN where unknown; `value`: float64[N, k] of every grade
    that there is, NaN for none, by `judges`.
    """

    query_ids: tuple[str, ...]
    models: tuple[str, ...]
    confidence: Floats
    alone: Floats
    asked: tuple[tuple[str, ...], ...]
    cost_usd: Floats
    score: Floats
    judges: tuple[str, ...]
    value: Floats
    whole_usd: float
    effective: float
    relative: bool = False

    def frame(self) -> pl.DataFrame:
        """One row for each answer: query_id, model, confidence, judges, cost_usd."""
        import polars as pl

        return pl.DataFrame(
            {
                "query_id": self.query_ids,
                "model": self.models,
                "confidence": self.confidence,
                "judges": [list(names) for names in self.asked],
                "cost_usd": self.cost_usd,
            }
        ).with_columns(pl.col("cost_usd").fill_nan(None))


class Standing(Struct, frozen=True, kw_only=True):
    """How well answers are ranked, by AUC, and how true the level is. `name`: who says it."""

    name: str
    auc: float | None
    calibration_error: float | None = None


class Worth(Struct, frozen=True, kw_only=True):
    """What a panel was worth on a table.

    `scored`: answers whose truth is known; `standings`: the panel, the plain mean of ranks, then
    each judge, the best first; `effective`: how many independent judges all of them are worth;
    `median_judges`: heard for an answer; `cost_share`: of asking all, None where unknown; `mean`:
    score of all answers by the labels that there are and every confidence, `by_labels`: by the
    labels alone, None below four labels or where none is missing; `relative`: whether confidence
    ranks answers and tells no level; `alone`: the panel where each answer is read by itself, None
    where it always is.
    """

    answers: int
    scored: int
    standings: tuple[Standing, ...]
    judges: int
    effective: float
    median_judges: float
    cost_share: float | None
    mean: Mean | None = None
    by_labels: Mean | None = None
    relative: bool = False
    alone: Standing | None = None


def judge_answers(
    frame: pl.DataFrame,
    artifact: Artifact | None,
    *,
    judges: pl.DataFrame,
    stake: Stake | Spend | None = None,
) -> Judged:
    """Let the panel judge every graded answer of a table, by the code that is served.

    `artifact`: what `fit` made with `judges`, None for what ships; `stake`: None to hear every
    judge, a `Spend` for a share of what they cost, a `Stake` as long as it pays. Raises `BadInput`
    where nothing was graded, or a price that the stake needs is unknown.
    """
    records = records_of(whole(frame), query_of)
    judges = whole_grades(judges)
    grades = grades_of(judges, records)
    if not grades.judges:
        raise BadInput("grades no answer of the outcome table", where="judge table")
    learned = learned_from(artifact)
    stage = stage_of(records, learned, Asked())
    estimates = estimator_of(stage, "blend").estimate_many(stage.features, stage.candidates)
    room = Room(
        stage=stage,
        panel=LogOddsPanel(
            replace(learned.panel, shift=0.0, slope=1.0),  # that level is of answers that are given
            {c.name: canonical(c.model.name) for c in stage.candidates},
        ),
        reader=Reader(measured=learned.panel.heads, correlation=learned.panel.correlation),
        free=tuple(FREE_JUDGES[name]() for name in ALONE),
        graded=tuple(judges_of(judges, records)),
        stake=stake,
    )
    places: list[tuple[int, int]] = list(
        zip(grades.rows.tolist(), grades.columns.tolist(), strict=True)
    )
    heard = room.hear(places, [float(estimates[i].quality[k]) for i, k in places])
    return Judged(
        query_ids=tuple(records.queries[i].query_id for i, _ in places),
        models=tuple(records.models[k] for _, k in places),
        confidence=np.array([each.confidence for each in heard]),
        alone=np.array([each.alone for each in heard]),
        asked=tuple(each.asked for each in heard),
        cost_usd=np.array([each.cost_usd for each in heard]),
        score=records.score[grades.rows, grades.columns],
        judges=grades.judges,
        value=grades.value,
        whole_usd=float(np.sum([each.whole_usd for each in heard])),
        effective=_effective(grades),
        relative=learned.panel.relative,
    )


def worth_of(judged: Judged) -> Worth:
    """Compare the panel with each of its judges and with the plain mean of their ranks."""
    known = np.isfinite(judged.score)
    right = (judged.score[known] >= RIGHT).astype(np.float64)
    chance, value = judged.confidence[known], judged.value[known]
    singles = [
        Standing(name=name, auc=_known(_auc(right, value[:, k])))
        for k, name in enumerate(judged.judges)
    ]
    spent = float(judged.cost_usd.sum())
    return Worth(
        answers=len(judged.score),
        scored=int(known.sum()),
        standings=(
            Standing(
                name="panel",
                auc=_known(_auc(right, chance)),
                calibration_error=ece(right, chance) if len(right) else None,
            ),
            Standing(name="mean of ranks", auc=_known(_auc(right, mean_rank(value)))),
            *sorted(singles, key=lambda each: -(each.auc or 0.0)),
        ),
        judges=len(judged.judges),
        effective=judged.effective,
        median_judges=float(np.median([len(names) for names in judged.asked])),
        cost_share=_known(spent / judged.whole_usd) if judged.whole_usd else None,
        mean=_mean(judged, known, weighed=True),
        by_labels=_mean(judged, known, weighed=False),
        relative=judged.relative,
        alone=_alone(judged, right, known),
    )


def _alone(judged: Judged, right: Floats, known: Bools) -> Standing | None:
    """How well answers are read without the others to their query."""
    if not len(right) or np.allclose(judged.alone, judged.confidence):
        return None
    alone = judged.alone[known]
    return Standing(
        name="panel, each answer by itself",
        auc=_known(_auc(right, alone)),
        calibration_error=ece(right, alone),
    )


def _mean(judged: Judged, known: Bools, *, weighed: bool) -> Mean | None:
    """Mean score of all answers, some of which are labelled; None where nothing is to be told."""
    if known.all():
        return None
    others = judged.confidence[~known] if weighed else np.zeros(0)
    return powered_mean(judged.score[known], judged.confidence[known], others)


def mean_rank(value: Floats) -> Floats:
    """float64[N]: mean over judges of each answer's rank, 0..1, ties in the middle.

    >>> mean_rank(np.array([[0.1, 0.2], [0.9, np.nan]])).tolist()
    [0.375, 0.75]
    """
    ranks = np.full_like(value, np.nan)
    for k in range(value.shape[1]):
        there = np.isfinite(value[:, k])
        _, place, counts = np.unique(value[there, k], return_inverse=True, return_counts=True)
        middle = (np.cumsum(counts) - (counts - 1) / 2.0 - 0.5) / max(int(there.sum()), 1)
        ranks[there, k] = middle[place]
    return np.asarray(np.nanmean(ranks, axis=1), dtype=np.float64)


def _effective(grades: Grades) -> float:
    """Independent judges that all of them are worth, by the mean correlation of their grades."""
    value = grades.value
    if value.shape[1] < 2:
        return float(value.shape[1])
    filled = np.where(np.isfinite(value), value, np.nanmean(value, axis=0))
    alike = np.corrcoef(filled.T)
    mean = float(np.nanmean(alike[~np.eye(len(alike), dtype=bool)]))
    return n_eff(value.shape[1], max(0.0, mean))


def _auc(right: Floats, value: Floats) -> float:
    there = np.isfinite(value)
    return auc(right[there], value[there])


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
