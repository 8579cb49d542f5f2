"""`fit`: from an outcome table to an artifact that serves and replays."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from emafusion.build.parts import learned_from
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features, Floats
from emafusion.domain.query import Query
from emafusion.encode.lexicon import Lexicon
from emafusion.estimate.arrays import AnyArray
from emafusion.estimate.reference import reference_arrays
from emafusion.judge.state import PanelState
from emafusion.lab.encoding import HASHED, Encoded, Means, encoded
from emafusion.lab.grading import by_judges, grades_of, measured, unmeasured
from emafusion.lab.labels import Labels, agreed, granted, may_agree
from emafusion.lab.meanings import VectorsOf, nobody
from emafusion.lab.overlap import marks_of
from emafusion.lab.panel import columns_of, panel_on
from emafusion.lab.reading import whole, whole_grades
from emafusion.lab.rehearsing import levelled, stops_of
from emafusion.lab.slow_labels import SlowTable, trust_arrays, trust_of
from emafusion.learn.choosing import choose
from emafusion.learn.fit import Fitted, fit_router
from emafusion.learn.outcomes import OutcomeTable, from_frame
from emafusion.learn.plan import LearnedName, Plan
from emafusion.learn.worth import worth
from emafusion.replay.grades import judges_of
from emafusion.replay.records import records_of
from emafusion.replay.tasks import fit_tasks
from emafusion.store.artifact import Artifact, Card, Source, load_default
from emafusion.tables.marks import TEST_ONLY, refuse_test_only
from emafusion.tables.query import query_of
from emafusion.version import __version__

if TYPE_CHECKING:
    import polars as pl

REFERENCE = 300
"""Queries of the table that the dial is set on."""

ORDER = ("query_id", "model", "sample", "response", "score")
"""What is learned does not depend on the order of a table's rows."""

RELATIVE = (
    "Confidence is relative: agreement ranks models and answers, and says nothing of levels; "
    "no promise rests on it, certifying takes labels."
)

LEARNED_VIEW = "learned view, points over the table alone/"
"""Before the names of what can learn it, in the figures of a card."""

ENCODER = "encoder, points over the first/"
"""Before the names of encoders, in the figures of a card."""

SLOW = "weight of slow labels/"
"""Before the names of axes, in the figures of a card."""

KEPT = "encoder/"
"""Arrays taken over from what ships with the package: the classes of queries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to fit.

    `learned`: what learns the learned view, as in `learn.plan`; `encoders`: what may read queries,
    as in `lab.encoding`, the best of them where there are several; `vectors_of`: who
    knows the vectors of encoders outside; `slow`: slow labels
    and true ones; `name`: of the table, for the
    card; `licence`: of its rows.
    """

    labels: Labels = "all"
    seed: int = 0
    learned: LearnedName = "linear"
    encoders: tuple[str, ...] = (HASHED,)
    vectors_of: VectorsOf = nobody
    slow: SlowTable | None = None
    name: str = "table"
    licence: str = "unknown"


def fit(
    frame: pl.DataFrame,
    wish: Wish | None = None,
    *,
    judges: pl.DataFrame | None = None,
    done: Callable[[str], None] = lambda _step: None,
) -> Artifact:
    """Learn from an outcome table.

    `frame`: an outcome table; `judges`: a judge table of the same answers; `done`: told each step
    as it begins. The same tables, wish and version make the same arrays.

    Raises:
        BadInput: nothing to learn from, a score out of range, or rows that may not be fitted on.
    """
    wish = Wish() if wish is None else wish
    judges = None if judges is None else whole_grades(judges)
    frame = whole(frame)
    _refuse_tests(frame)
    done("reading")
    frame = granted(frame.sort(ORDER, nulls_last=True), wish.labels, seed=wish.seed)
    known, queries = _with_queries(_scored(frame, wish.labels, judges))
    table = from_frame(known)
    default = load_default()
    shipped: dict[str, AnyArray] = {} if default is None else dict(default.arrays)
    done("encoding")
    learned = learned_from(default)
    means = Means(plain=learned.encoder.knowing(Lexicon.none()), ask=wish.vectors_of)
    readings = [encoded(name, queries, means) for name in wish.encoders]
    done("learning")
    best = _best(table, readings, wish=wish)
    fitted = best.fitted
    done("reading answers")
    panel, alarms = _panel(known, fitted, learned.panel, wish=wish, judges=judges)
    arrays = {
        **{name: shipped[name] for name in shipped if name.startswith(KEPT)},
        **best.encoded.arrays,
        **panel.to_arrays(),
        **fitted.state.to_arrays(),
        **reference_arrays(_typical(best.encoded.features, seed=wish.seed)),
        **fit_tasks(
            table.datasets, table.models, score=table.score, cost_usd=table.cost_usd
        ).to_arrays(),
    }
    arrays |= marks_of(query.prompt for query in queries)
    trust: Mapping[str, float] = {}
    if wish.slow is not None:
        ids = [query.query_id for query in queries]
        trust = trust_of(wish.slow, ids, best.encoded.features)
        arrays |= trust_arrays(trust)
    card = _card(frame, table, best, wish=wish, alarms=alarms)
    card.figures.update({f"{SLOW}{axis}": share for axis, share in trust.items()})
    artifact = Artifact(arrays=arrays, card=card)
    if wish.labels == "none":
        return artifact
    done("rehearsing")
    level = _level(artifact, known, best, judges=judges)
    return Artifact(arrays=arrays | level, card=card)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Best:
    """A router by the encoder that served best, with what each brought."""

    fitted: Fitted
    encoded: Encoded
    gains: Mapping[str, float]


def _best(table: OutcomeTable, readings: Sequence[Encoded], *, wish: Wish) -> _Best:
    """Fit by each encoder, and take the one that led to the best choices on rows held out."""
    found = {
        each.name: fit_router(
            table,
            each.features,
            Plan(seed=wish.seed, learned=wish.learned, vectors=each.vectors),
        )
        for each in readings
    }
    utilities = {name: fitted.utility for name, fitted in found.items()}
    chosen = choose(utilities, next(iter(utilities.values())))
    reading = next(each for each in readings if each.name == chosen.name)
    return _Best(fitted=found[chosen.name], encoded=reading, gains=chosen.gains)


def _refuse_tests(frame: pl.DataFrame) -> None:
    """Raise `BadInput` where a row is for measuring alone, however its data set is spelled."""
    import polars as pl

    name = pl.col("dataset").str.to_lowercase() + "/"
    is_marked = name.str.contains(TEST_ONLY, literal=True)
    refuse_test_only(frame.filter(is_marked).with_columns(dataset=pl.lit(TEST_ONLY)))


def _scored(frame: pl.DataFrame, labels: Labels, judges: pl.DataFrame | None) -> pl.DataFrame:
    """The table with something to learn from as the score: labels, or what stands in for them.

    Without labels that is agreement; where nothing can be compared, what the judges say.
    """
    if labels == "none":
        told = None if judges is None or may_agree(frame) else by_judges(frame, judges)
        return agreed(frame) if told is None else told
    if frame.height and not frame["score"].is_not_null().any():
        what = "has no scores: label some answers, or learn by agreement (--labels none)"
        raise BadInput(what, where="outcome table")
    return frame


def _panel(
    known: pl.DataFrame,
    fitted: Fitted,
    prior: PanelState,
    *,
    wish: Wish,
    judges: pl.DataFrame | None,
) -> tuple[PanelState, tuple[str, ...]]:
    """The panel, fitted on the answers where there are labels to fit it on, and its alarms."""
    if wish.labels == "none":
        state = replace(prior, relative=True)
        if judges is None:
            return state, ()
        return unmeasured(state, grades_of(judges, records_of(known, query_of)))
    records = records_of(known, query_of)
    quality = fitted.quality[:, columns_of(records.models, fitted.state.models)]
    panel = panel_on(records, quality, prior, seed=wish.seed)
    if judges is None:
        return panel, ()
    return measured(panel, grades_of(judges, records), records=records, quality=quality)


def _level(
    artifact: Artifact, known: pl.DataFrame, best: _Best, *, judges: pl.DataFrame | None
) -> dict[str, Floats]:
    """The panel's arrays, its level set by what the policy would have given."""
    learned, records = learned_from(artifact), records_of(known, query_of)
    read = {query.query_id: query.embedding for query in best.encoded.queries}
    queries = tuple(replace(q, embedding=read.get(q.query_id)) for q in records.queries)
    records = replace(records, queries=queries)
    quality = best.fitted.quality[:, columns_of(records.models, best.fitted.state.models)]
    graded = () if judges is None else judges_of(judges, records)
    stops = stops_of(records, learned, quality, graded=graded, seed=artifact.card.seed)
    return levelled(learned.panel, stops).to_arrays()


def _with_queries(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Query]]:
    """The table with a prompt in each row, and its queries in the order of their first rows."""
    import polars as pl

    firsts = frame.unique("query_id", keep="first", maintain_order=True)
    told = firsts.select("query_id", "prompt", "messages").iter_rows()
    queries = [query_of(*row) for row in told]
    if not firsts["messages"].is_not_null().any():
        return frame, queries
    prompts = {query.query_id: query.prompt for query in queries}
    own = pl.col("query_id").replace_strict(prompts, return_dtype=pl.String)
    return frame.with_columns(prompt=pl.col("prompt").fill_null(own)), queries


def _typical(features: tuple[Features, ...], *, seed: int) -> list[Features]:
    """Queries drawn by chance, in the table's order."""
    drawn = np.random.default_rng(seed).permutation(len(features))[:REFERENCE]
    return [features[i] for i in sorted(drawn.tolist())]


def _card(
    frame: pl.DataFrame,
    table: OutcomeTable,
    best: _Best,
    *,
    wish: Wish,
    alarms: tuple[str, ...],
) -> Card:
    return Card(
        title=f"Fitted on {wish.name}",
        created=dt.datetime.now(dt.UTC).date().isoformat(),
        version=__version__,
        made_with={"numpy": np.__version__, "python": platform.python_version()},
        sources=(
            Source(
                name=wish.name,
                rows=frame.height,
                queries=len(table.prompts),
                sha256=content_hash(frame),
                licence=wish.licence,
            ),
        ),
        labels=_labels(table, wish),
        datasets=dict(sorted(Counter(filter(None, table.datasets)).items())),
        models=table.models,
        encoder=best.encoded.name,
        learned=best.fitted.chosen.name,
        folds="by normalised prompt; novelty by whole data sets",
        seed=wish.seed,
        figures=_figures(table, best, wish=wish),
        caveats=((RELATIVE,) if wish.labels == "none" else ()) + alarms,
    )


def _figures(table: OutcomeTable, best: _Best, *, wish: Wish) -> dict[str, float]:
    """What was measured while rows were held out."""
    if wish.labels == "none":
        return {}
    gains = {f"{LEARNED_VIEW}{name}": gain for name, gain in best.fitted.chosen.gains.items()}
    if len(best.gains) > 1:
        gains |= {f"{ENCODER}{name}": gain for name, gain in best.gains.items()}
    return worth(table, best.fitted.quality, seed=wish.seed) | gains


def _labels(table: OutcomeTable, wish: Wish) -> str:
    """Which scores were read."""
    if wish.labels == "none":
        return "none: quality by agreement of the answers"
    scored = int(np.isfinite(table.score).any(axis=1).sum())
    drawn = "" if wish.labels == "all" else ", drawn by chance"
    return f"{scored:,} labelled queries{drawn}"


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 of a table's rows, whatever their order."""
    rows = sorted(frame.write_ndjson().splitlines())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
