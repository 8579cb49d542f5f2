"""The panel fitted on an outcome table, on top of a router's held-out predictions.

A sample of the table is seen as it is in service: answers of one to four models, drawn by chance,
to each query. What a small table cannot tell stays as in the prior state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.judge.asked import FORMS, Form
from emafusion.judge.state import KINDS, FormState, PanelState
from emafusion.learn.agreeing import NOT_ASKED, UNREADABLE
from emafusion.learn.panel.assess import samples
from emafusion.learn.panel.curves import Fine, offset_curve
from emafusion.learn.panel.curves import at as at_values
from emafusion.learn.panel.looks import Looks
from emafusion.learn.panel.vote import PARAMETERS, Sample, fit_caps, fit_vote, form_state

LOOKS = 4
QUERIES = 4_000
"""Queries that are looked at; more change nothing."""
LABELS = 3_000.0
"""Labels that a table counts as, however long it is."""
LUCK = 0.15
"""Standard deviation of what is added to a model's quality before the best are asked: in service
good models are asked more often, and what their agreement is worth is not what anybody's is."""
RIDGE = 30.0
"""Labels that the prior state counts as."""
FEWEST = 30
"""Queries of a form, and answers with a log-probability, from which something is learned."""
UNREAD = "unread"
"""Stands among the failed checks for an answer that cannot be read."""

OWN = Fine(shrink=60.0)
"""How strongly the curve of one model is drawn to that of all."""
SURE = 0.0025
"""No probability is taken as surer than this, as in service."""

FaultOf = Callable[[int, int], str]
"""(query, model) -> the hard check that the answer fails, empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answered:
    """Recorded answers of m models to n queries.

    `form`: int64[n], place in `FORMS`; `groups`: int64[n, m], group of equal answers from 0 on,
    `UNREADABLE` or `NOT_ASKED`; float64[n, m]: `score` (0..1, NaN unknown), `quality` predicted
    while the query was held out, `mean_p` (geometric mean of token probabilities, NaN unknown).
    `models`: m canonical names; none where they are not to be told apart.
    """

    form: Ints
    groups: Ints
    score: Floats
    quality: Floats
    mean_p: Floats
    models: tuple[str, ...] = ()


def fit_panel(
    answered: Answered, fault_of: FaultOf, prior: PanelState, *, seed: int = 0
) -> PanelState:
    """Fit weights, caps, the log-probability curve and chances of equal answers.

    A table without enough scored answers gives the prior back.
    """
    table = _drawn(answered, np.random.default_rng(seed))
    if table is None:
        return prior
    looks = _looks(answered, table, fault_of)
    caps = dict(prior.caps)
    forms = _fit_forms(looks, prior)
    same, collide = _equal(answered, prior)
    fitted = replace(
        prior,
        forms=MappingProxyType(forms),
        caps=MappingProxyType(_fit_caps(looks, forms, caps)),
        same=same,
        collide=collide,
    )
    told = _with_logprob(fitted, answered, table)
    if told is fitted:
        return fitted
    heard = replace(looks, quality=_heard(told, answered, table))
    return replace(told, forms=MappingProxyType(_fit_forms(heard, prior, is_heard=True)))


def _fit_forms(looks: Looks, prior: PanelState, *, is_heard: bool = False) -> dict[Form, FormState]:
    """Weights of each form that has enough queries.

    `is_heard`: whether the qualities have the log-probabilities in them already, so that both have
    one weight.
    """
    forms = dict(prior.forms)
    places: list[int] = np.unique(looks.form).tolist()
    for place in places:
        own, form = looks.where(looks.form == place), FORMS[place]
        if len(own.form) < FEWEST:
            continue
        fitted = _fit_form(own, prior.forms[form], prior.caps)
        kinds = list(fitted.kinds)
        if is_heard:
            kinds[KINDS.index("logprob")] = fitted.quality
        forms[form] = replace(fitted, kinds=tuple(kinds))
    return forms


def _heard(state: PanelState, answered: Answered, table: _Table) -> Floats:
    """Quality of each drawn answer once its log-probabilities are heard: float64[N, LOOKS]."""
    rows = table.rows[:, None]
    added: Floats = np.zeros(answered.quality.shape)
    pooled = state.curves["logprob"]
    for k in range(answered.quality.shape[1]):
        name = answered.models[k] if answered.models else ""
        known = np.isfinite(answered.mean_p[:, k]) & (answered.groups[:, k] != UNREADABLE)
        curve = state.curves.get(f"logprob@{name}", pooled)
        added[known, k] = at_values(curve, answered.mean_p[known, k])
    sure = np.clip(answered.quality[rows, table.columns], SURE, 1.0 - SURE)
    odds = np.log(sure / (1.0 - sure)) + added[rows, table.columns]
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """`rows`: int64[N]; `columns`: int64[N, LOOKS], models drawn for each."""

    rows: Ints
    columns: Ints


def _drawn(answered: Answered, rng: np.random.Generator) -> _Table | None:
    """Queries by chance and models by quality and chance, of those with score and prediction."""
    known = (answered.groups != NOT_ASKED) & np.isfinite(answered.score + answered.quality)
    width = min(LOOKS, known.shape[1])
    rows = np.flatnonzero(known.sum(axis=1) >= width)
    if len(rows) < FEWEST:
        return None
    rows = np.sort(rng.permutation(rows)[:QUERIES])
    luck = rng.normal(0.0, LUCK, (len(rows), known.shape[1]))
    asked = np.where(known[rows], answered.quality[rows] + luck, -np.inf)
    return _Table(rows=rows, columns=np.argsort(-asked, axis=1)[:, :width])


def _looks(answered: Answered, table: _Table, fault_of: FaultOf) -> Looks:
    at = (table.rows[:, None], table.columns)
    groups = answered.groups[at]
    keyed = groups >= 0
    pairs = [[fault_of(i, k) for k in columns] for i, columns in _places(table)]
    failed = np.array(pairs, dtype="U16")
    failed[(groups == UNREADABLE) & (failed == "")] = UNREAD
    return Looks(
        name="table",
        quality=answered.quality[at],
        right=answered.score[at],
        same=(groups[:, :, None] == groups[:, None, :]) & keyed[:, :, None],
        keyed=keyed,
        failed=failed,
        form=answered.form[table.rows],
        fold=np.zeros(len(table.rows), np.int64),
        weight=min(1.0, LABELS / len(table.rows)),
    )


def _places(table: _Table) -> list[tuple[int, list[int]]]:
    return list(zip(table.rows.tolist(), table.columns.tolist(), strict=True))


def _fit_form(own: Looks, prior: FormState, caps: Mapping[str, float]) -> FormState:
    """Weights and what an unreadable answer leaves, each given the other."""
    start = _theta(prior)
    seen = samples([own])
    unread = _unread(start, own, prior.unread)
    theta = fit_vote(seen, {**caps, UNREAD: unread}, prior=start, ridge=RIDGE)
    unread = _unread(theta, own, prior.unread)
    return replace(form_state(theta, prior), unread=unread)


def _theta(weights: FormState) -> Floats:
    """Weights in the order of `vote.PARAMETERS`."""
    return np.array([getattr(weights, name) for name in PARAMETERS], dtype=np.float64)


def _unread(theta: Floats, own: Looks, prior: float) -> float:
    """What is left of the probability where no answer can be read."""
    seen = [Sample(looks=own, weight=1.0)]
    return fit_caps(theta, seen, {UNREAD: prior}, names=(UNREAD,))[UNREAD]


def _fit_caps(
    looks: Looks, forms: Mapping[Form, FormState], prior: Mapping[str, float]
) -> dict[str, float]:
    """Caps of the checks that the table can tell about: what looks bad may still be unwanted."""
    caps = dict(prior)
    common = max(forms, key=lambda form: int((looks.form == FORMS.index(form)).sum()))
    theta = _theta(forms[common])
    return caps | fit_caps(theta, [Sample(looks=looks, weight=1.0)], caps)


def _equal(answered: Answered, prior: PanelState) -> tuple[float, float]:
    """Chance that two right and that two wrong answers are equal, shrunk to the prior's."""
    right = np.where(np.isfinite(answered.score), answered.score, 0.0)
    wrong = np.where(np.isfinite(answered.score), 1.0 - answered.score, 0.0)
    keyed = answered.groups >= 0
    found: list[float] = []
    for weight, before in ((right, prior.same), (wrong, prior.collide)):
        held = np.where(keyed, weight, 0.0)
        pairs = held.sum(axis=1) ** 2 - (held**2).sum(axis=1)
        alike = np.zeros(len(held))
        for group in range(int(answered.groups.max(initial=0)) + 1):
            mine = np.where(answered.groups == group, held, 0.0)
            alike += mine.sum(axis=1) ** 2 - (mine**2).sum(axis=1)
        there = pairs > 0.5
        share = alike[there] / pairs[there]
        found.append(float((share.sum() + RIDGE * before) / (len(share) + RIDGE)))
    return round(found[0], 4), round(found[1], 4)


def _with_logprob(state: PanelState, answered: Answered, table: _Table) -> PanelState:
    """The curve of mean token probability, where the table has it: of all models, then of each.

    How sure a model is of its own words says nothing of how sure another would have to be.
    """
    told = np.isfinite(answered.mean_p + answered.quality + answered.score)
    told &= answered.groups != UNREADABLE
    at = (table.rows[:, None], table.columns)
    if told[at].sum() < FEWEST:
        return state
    base = _lone_odds(state, answered)
    value, right = answered.mean_p, answered.score
    seen = told[at]
    pooled = offset_curve(
        value[at][seen], base[at][seen], right[at][seen], prior=state.curves["logprob"]
    )
    curves = dict(state.curves) | {"logprob": pooled}
    for k, name in enumerate(answered.models):
        own = told[:, k]
        if own.sum() >= FEWEST:
            curves[f"logprob@{name}"] = offset_curve(
                value[own, k], base[own, k], right[own, k], prior=pooled, fine=OWN
            )
    return replace(state, curves=MappingProxyType(curves))


def _lone_odds(state: PanelState, answered: Answered) -> Floats:
    """Log-odds of each answer by what was predicted of it alone: float64[n, m], NaN unknown."""
    weights = [state.forms[form] for form in FORMS]
    bias = np.array([each.bias for each in weights])[answered.form][:, None]
    slope = np.array([each.quality for each in weights])[answered.form][:, None]
    sure = np.clip(answered.quality, SURE, 1.0 - SURE)
    return np.asarray(bias + slope * np.log(sure / (1.0 - sure)), dtype=np.float64)
