"""How good the fitted vote is on answers it has not seen: other folds, and other tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emafusion.domain.features import Floats
from emafusion.judge.asked import FORMS
from emafusion.learn.panel.figures import figures
from emafusion.learn.panel.looks import FOLDS, MODELS, Looks
from emafusion.learn.panel.vote import PRIOR, Sample, fit_vote, probabilities

Thetas = Mapping[int, Floats]
"""Parameters by form of answer (its place in `FORMS`); -1: for forms without rows of their own."""


def fit_forms(tables: Sequence[Looks], caps: Mapping[str, float]) -> dict[int, Floats]:
    """One fit to all, then one for each form that has answers, drawn to the common one."""
    common = fit_vote(samples(tables), caps)
    fitted = {-1: common}
    for form in range(len(FORMS)):
        own = [table.where(table.form == form) for table in tables]
        kept = [table for table in own if len(table.form) >= 30]
        if kept:
            fitted[form] = fit_vote(samples(kept), caps, prior=common)
    return fitted


def samples(tables: Sequence[Looks]) -> list[Sample]:
    """Each table as seen after one, two, three answers, all tables of equal weight."""
    return [
        Sample(looks=table.first(models), weight=table.weight / (_width(table) * models))
        for table in tables
        for models in range(1, _width(table) + 1)
    ]


def _width(table: Looks) -> int:
    """How many models were asked at each query."""
    return int(table.right.shape[1])


def assess(tables: Sequence[Looks], caps: Mapping[str, float]) -> dict[str, float]:
    """Figures by table and number of answers: panel, quality alone, plain mean, agreement alone.

    `panel`: five-fold by prompt; `panel, table left out`: fitted on the other tables only.
    """
    told: dict[str, float] = {}
    folded = [fit_forms([t.where(t.fold != k) for t in tables], caps) for k in range(FOLDS)]
    for table in tables:
        others = [t for t in tables if t is not table]
        strange = fit_forms(others, caps) if others else {-1: PRIOR}
        for models in range(1, MODELS + 1):
            told |= _compare(table.first(models), folded, strange=strange, caps=caps)
    return told


def _compare(
    table: Looks, folded: Sequence[Thetas], *, strange: Thetas, caps: Mapping[str, float]
) -> dict[str, float]:
    right = table.right.ravel()
    known = np.zeros_like(table.right)
    for fold, thetas in enumerate(folded):
        rows = table.fold == fold
        known[rows] = by_form(thetas, table.where(rows), caps)
    parts = {
        "panel": known,
        "panel, table left out": by_form(strange, table, caps),
        "quality alone": table.quality,
    }
    if table.right.shape[1] > 1:
        parts |= {
            "agreement alone": _share(table),
            "plain mean": (_share(table) + table.quality) / 2,
        }
    head = f"{table.name}, {table.right.shape[1]} answers"
    found = [figures(right, part.ravel(), f"{head}: {name}") for name, part in parts.items()]
    return {key: value for each in found for key, value in each.items()}


def by_form(thetas: Thetas, table: Looks, caps: Mapping[str, float]) -> Floats:
    """float64[N, m]: probabilities, each query by its form's parameters."""
    result = np.zeros_like(table.right)
    for form in np.unique(table.form).tolist():
        rows = table.form == form
        theta = thetas.get(form, thetas[-1])
        result[rows] = probabilities(theta, table.where(rows), caps)
    return result


def _share(table: Looks) -> Floats:
    """Share of the other answers that equal this one; 0 for one that cannot be read."""
    others = table.right.shape[1] - 1
    same = (table.same & table.keyed[:, None, :] & table.keyed[:, :, None]).sum(axis=2) - 1
    return np.asarray(np.maximum(same, 0) / others, dtype=np.float64)
