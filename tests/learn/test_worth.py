"""What a fit says it is worth, before any replay."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats
from emafusion.learn.outcomes import OutcomeTable
from emafusion.learn.worth import worth

N = 400


def table(score: Floats, cost_usd: Floats) -> OutcomeTable:
    """An outcome table of three models."""
    unknown = np.full((N, 3), np.nan)
    return OutcomeTable(
        prompts=tuple(f"question {i}" for i in range(N)), datasets=("",) * N,
        models=("a", "b", "c"), score=score, prompt_tokens=unknown, completion_tokens=unknown,
        cost_usd=np.tile(cost_usd, (N, 1)), cpu_s=unknown,
    )  # fmt: skip


COSTS, SKILL = np.array([1.0, 2.0, 10.0]), np.array([0.5, 0.55, 0.7])


def test_knowing_who_is_right_is_worth_the_gap_to_the_oracle() -> None:
    """Perfect predictions gain what is to be gained; the interval holds the gain."""
    score = (np.random.default_rng(1).random((N, 3)) < SKILL).astype(float)
    told = worth(table(score, COSTS), score)
    gain = told["held out/oracle"] - told["held out/best single"]
    key = "held out/points over best single at its cost"
    assert abs(told[key] - 100 * gain) < 1e-6
    assert told[f"{key}, low"] <= told[key] <= told[f"{key}, high"]
    assert told["held out/calibration error of quality"] == 0


def test_chance_is_not_sold_as_gain() -> None:
    """Predictions that know nothing gain nothing: no setting is picked by how well it scored."""
    gains = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        score = (rng.random((N, 3)) < SKILL).astype(float)
        told = worth(table(score, COSTS), rng.random((N, 3)), seed=seed)
        gains.append(told["held out/points over random mix at a quarter of it"])
    assert np.mean(gains) < 0.5


def test_what_cannot_be_had_is_left_out() -> None:
    """Without costs, or with one model, there is no curve, and nothing is made up."""
    score = np.ones((N, 3))
    told = worth(table(score, np.full(3, np.nan)), score * 0.9)
    assert set(told) == {"held out/calibration error of quality"}
