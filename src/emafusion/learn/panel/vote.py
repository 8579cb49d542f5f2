"""The panel's vote on arrays, and its fit: penalised maximum likelihood by Fisher scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emafusion.domain.features import Floats
from emafusion.judge.curve import LIMIT
from emafusion.judge.panel import UNKNOWN_CAP
from emafusion.judge.state import FormState
from emafusion.learn.panel.looks import Looks

PARAMETERS = ("bias", "quality", "agree", "peer", "oppose", "further")
PRIOR: Floats = np.array((0.0, 1.0, 1.0, 0.3, 0.8, 0.6))
SCALE: Floats = np.array((0.1, 0.3, 1.0, 0.3, 0.4, 0.3))
"""Expected distance from the prior; the bias hardly moves, since quality is calibrated already."""
RIDGE = 10.0
"""Weight of the prior, in labels."""
_LOW: Floats = np.array((-1.0, 0.2, 0.0, 0.0, 0.0, 0.05))
_HIGH: Floats = np.array((1.0, 2.0, 5.0, 2.0, 2.0, 1.0))
FITTED_CAPS = ("empty", "refusal", "choice", "number", "form", "length", "language")
"""Checks that the tables can tell about. A looping text often holds the right answer, but nobody
wants it: that cap stays a decision."""
_STEP, _ROUNDS = 1e-4, 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Looks and the weight of one of their answers in a fit."""

    looks: Looks
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """What a fit is drawn to, and how many labels that counts as."""

    prior: Floats
    ridge: float


def log_odds(theta: Floats, looks: Looks, caps: Mapping[str, float]) -> Floats:
    """float64[N, m]: what `LogOddsPanel` computes, all peers counted as strangers."""
    bias, quality, agree, peer, oppose, further = theta
    alone = np.clip(bias + quality * _logit(looks.quality), -LIMIT, LIMIT)
    alone = _capped(alone, looks, caps)
    votes = np.maximum(0.0, agree + peer * alone)
    linked = looks.same & looks.keyed[:, None, :]
    others = linked & ~np.eye(alone.shape[1], dtype=bool)
    sides = -np.sort(-(others * votes[:, None, :]), axis=2)  # the strongest first
    fading: Floats = float(further) ** np.arange(alone.shape[1], dtype=np.float64)
    support: Floats = alone + (sides * fading).sum(axis=2)
    against = (_rivals(looks, alone) * np.exp(support)[:, None, :]).sum(axis=2)
    return np.where(looks.keyed, support - oppose * np.log1p(against), alone)


def fit_vote(
    samples: Sequence[Sample],
    caps: Mapping[str, float],
    *,
    prior: Floats = PRIOR,
    ridge: float = RIDGE,
) -> Floats:
    """Parameters in the order of `PARAMETERS`; ridge to `prior`, all weights >= 0."""
    theta, damping = prior.copy(), 1e-3
    held = Held(prior=prior, ridge=ridge)
    loss = _loss(theta, samples, caps, held=held)
    for _ in range(_ROUNDS):
        gradient, curvature = _scores(theta, samples, caps, held=held)
        damped = curvature + damping * np.diag(np.diag(curvature))
        step = theta - np.linalg.solve(damped, gradient)
        trial = np.clip(step, _LOW, _HIGH)
        trial_loss = _loss(trial, samples, caps, held=held)
        if trial_loss >= loss:
            damping *= 10.0
            continue
        gained, theta, loss, damping = loss - trial_loss, trial, trial_loss, damping / 5.0
        if gained < 1e-6 * loss:
            break
    return theta


def probabilities(theta: Floats, looks: Looks, caps: Mapping[str, float]) -> Floats:
    """float64[N, m]: probability that each answer is right."""
    return _sigmoid(log_odds(theta, looks, caps))


def form_state(theta: Floats, prior: FormState) -> FormState:
    """A form's numbers from fitted parameters; the rest stays as in `prior`."""
    bias, quality, agree, peer, oppose, further = np.round(theta, 4).tolist()
    return replace(
        prior, bias=bias, quality=quality, agree=agree, peer=peer, oppose=oppose, further=further
    )


def fit_caps(
    theta: Floats,
    samples: Sequence[Sample],
    prior: Mapping[str, float],
    *,
    names: Sequence[str] = FITTED_CAPS,
) -> dict[str, float]:
    """What is left of the probability for each failed check: observed over predicted, shrunk."""
    caps = dict(prior)
    for name in names:
        cap = prior[name]
        right, predicted = cap * 10.0, 10.0
        for sample in samples:
            one = sample.looks.first(1)
            failed = one.failed == name
            right += float(one.right[failed].sum())
            predicted += float(probabilities(theta, one, {name: 1.0})[failed].sum())
        caps[name] = round(min(1.0, right / predicted), 4)
    return caps


def _capped(alone: Floats, looks: Looks, caps: Mapping[str, float]) -> Floats:
    kept = np.ones_like(alone)
    for name in np.unique(looks.failed[looks.failed != ""]):
        kept[looks.failed == name] = caps.get(str(name), UNKNOWN_CAP)
    return np.where(kept < 1.0, _logit(kept * _sigmoid(alone)), alone)


def _rivals(looks: Looks, alone: Floats) -> Floats:
    """float64[N, i, j]: 1 where j is the strongest of a group that is not i's."""
    order = np.argsort(np.argsort(-alone, axis=1, kind="stable"), axis=1)
    stronger = (order[:, None, :] < order[:, :, None]) & looks.same & looks.keyed[:, None, :]
    leads = looks.keyed & ~stronger.any(axis=2)
    return (leads[:, None, :] & ~looks.same).astype(np.float64)


def _scores(
    theta: Floats, samples: Sequence[Sample], caps: Mapping[str, float], *, held: Held
) -> tuple[Floats, Floats]:
    """Gradient and expected curvature of the loss; the slopes of the log-odds by differences."""
    gradient, curvature = (
        held.ridge * (theta - held.prior) / SCALE**2,
        np.diag(held.ridge / SCALE**2),
    )
    for sample in samples:
        here = log_odds(theta, sample.looks, caps)
        slopes = np.stack(
            [
                (log_odds(theta + _STEP * unit, sample.looks, caps) - here).ravel() / _STEP
                for unit in np.eye(len(theta))
            ],
            axis=1,
        )
        chance = _sigmoid(here).ravel()
        gradient = gradient + sample.weight * slopes.T @ (chance - sample.looks.right.ravel())
        spread = sample.weight * chance * (1.0 - chance)
        curvature = curvature + (slopes * spread[:, None]).T @ slopes
    return gradient, curvature


def _loss(
    theta: Floats, samples: Sequence[Sample], caps: Mapping[str, float], *, held: Held
) -> float:
    loss = 0.5 * held.ridge * float((((theta - held.prior) / SCALE) ** 2).sum())
    for sample in samples:
        odds, right = log_odds(theta, sample.looks, caps), sample.looks.right
        loss += sample.weight * float((np.logaddexp(0.0, odds) - right * odds).sum())
    return loss


def _logit(probability: Floats) -> Floats:
    safe = np.clip(probability, 1e-12, 1.0 - 1e-12)
    return np.clip(np.log(safe / (1.0 - safe)), -LIMIT, LIMIT)


def _sigmoid(log_odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
