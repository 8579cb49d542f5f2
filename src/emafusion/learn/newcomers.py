"""Models with few answers among models with many: what they are believed to be able to do.

Fifty answers leave an ability open by some six points of accuracy, more than what able models
differ by, so that the luckiest newcomer would be taken for the best model. Its ability is drawn to
what its cost lets expect, by a line over the models with many answers (dearer is never worse): an
expensive newcomer is expected to be good, a cheap one has to show it.
"""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats
from emafusion.learn.ability import Scale

MANY, FEWEST_VETERANS = 300, 4


def season(scale: Scale, answers: Floats, cost_usd: Floats) -> Scale:
    """Draw newcomers to the line; leave everybody else as they are.

    `answers`: float64[m], scored answers; `cost_usd`: float64[m], mean of an answer, NaN unknown.
    """
    few = (answers < MANY) & (answers < answers.max() / 2)
    veterans = ~few
    if not few.any() or veterans.sum() < FEWEST_VETERANS:
        return scale
    expected, spread = _line(scale.ability[veterans], cost_usd[veterans], cost_usd)
    own, prior = 1 / scale.sd**2, 1 / spread**2
    mean = (own * scale.ability + prior * expected) / (own + prior)
    sd = (own + prior) ** -0.5
    return Scale(np.where(few, mean, scale.ability), scale.difficulty, np.where(few, sd, scale.sd))


def _line(ability: Floats, known_usd: Floats, usd: Floats) -> tuple[Floats, float]:
    """Expected ability of all models by log cost, and the spread of veterans around it."""
    logs = np.log(np.where(known_usd > 0, known_usd, np.nan))
    asked = np.log(np.where(usd > 0, usd, np.nan))
    use = np.isfinite(logs)
    slope, centre = 0.0, 0.0
    if use.sum() >= FEWEST_VETERANS and logs[use].std() > 1e-9:
        centre = float(logs[use].mean())
        deviation = logs[use] - centre
        slope = max(float(deviation @ ability[use] / (deviation @ deviation)), 0.0)
    expected = ability.mean() + slope * np.nan_to_num(asked - centre)
    left = ability - ability.mean() - slope * np.nan_to_num(logs - centre)
    return expected, max(float(left.std()), 0.2)
