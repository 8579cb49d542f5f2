"""The judge panel fitted on a table's own answers, where there are labels for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.build.replay_reading import key_of
from emafusion.domain.features import Floats, Ints
from emafusion.estimate.names import canonical
from emafusion.judge.asked import FORMS, form_of
from emafusion.judge.grouping import groups_of
from emafusion.judge.rules import examine
from emafusion.judge.state import PanelState
from emafusion.learn.agreeing import NOT_ASKED, UNREADABLE
from emafusion.learn.panel.table import QUERIES, Answered, FaultOf, fit_panel
from emafusion.replay.reading import REFUSAL
from emafusion.replay.recorded import reply_of
from emafusion.replay.records import Records


def groups_in(records: Records) -> Ints:
    """Groups of equal answers of each query: int64[n, m], else `UNREADABLE` or `NOT_ASKED`."""
    groups = np.full(records.asked.shape, NOT_ASKED, np.int64)
    for i, query in enumerate(records.queries):
        columns = np.flatnonzero(records.asked[i])
        keys = [key_of(records, query, (i, int(k))) for k in columns]
        numbers = np.array(groups_of(keys), np.int64)
        groups[i, columns] = np.where([key is None for key in keys], UNREADABLE, numbers)
    return groups


def panel_on(records: Records, quality: Floats, prior: PanelState, *, seed: int = 0) -> PanelState:
    """Fit the panel on recorded answers; what they cannot tell stays as in `prior`.

    `quality`: float64[n, m], predicted of each answer while its query was held out, NaN where
    nothing was. Of a long table a part is read, drawn by chance: more changes nothing.
    """
    rows = np.flatnonzero(np.isfinite(quality + records.score).any(axis=1))
    drawn = np.zeros(len(quality), np.bool_)
    drawn[np.random.default_rng(seed).permutation(rows)[:QUERIES]] = True
    some = records.take(drawn)
    answered = Answered(
        form=np.array([FORMS.index(form_of(query)) for query in some.queries], np.int64),
        groups=groups_in(some),
        score=some.score,
        quality=quality[drawn],
        mean_p=np.exp(some.mean_logprob),
        models=tuple(canonical(name) for name in some.models),
    )
    return fit_panel(answered, _faults_of(some), prior, seed=seed)


def columns_of(models: Sequence[str], known: Sequence[str]) -> Ints:
    """Place of each model of the records among canonical names: int64[m].

    >>> columns_of(("GPT-4o", "claude"), ("claude", "gpt-4o")).tolist()
    [1, 0]
    """
    return np.array([known.index(canonical(name)) for name in models], np.int64)


def _faults_of(records: Records) -> FaultOf:
    """The hard check that an answer fails, as a replay has it.

    Nothing where only its short answer was recorded; no refusal where one was found in it.
    """

    def fault_of(i: int, k: int) -> str:
        if records.responses[int(records.row[i, k])] is None:
            return ""
        value, verdict = examine(records.queries[i], reply_of(records, i, k))
        is_answered = records.answers[int(records.row[i, k])] is not None
        if value != 0.0 or (verdict.startswith(REFUSAL) and is_answered):
            return ""
        return verdict.partition(":")[0]

    return fault_of
