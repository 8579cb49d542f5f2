"""A small outcome table: models that are good at different kinds of work."""

from __future__ import annotations

import numpy as np
import polars as pl

from emafusion.lab.reading import whole

WORK = {
    "history": "In which year did the war of the {} begin, and who won it?",
    "sums": "What is {} plus {} times 3? Answer with a number.",
}
SKILL = {
    "scholar": {"history": 0.95, "sums": 0.3},
    "clerk": {"history": 0.3, "sums": 0.95},
    "dear": {"history": 0.7, "sums": 0.7},
}
PRICE = {"scholar": 0.002, "clerk": 0.001, "dear": 0.02}


def recorded(queries: int = 400, *, seed: int = 0, start: int = 0) -> pl.DataFrame:
    """So many queries with an answer of each model, in every column of an outcome table."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(start, start + queries):
        work = ("history", "sums")[i % 2]
        prompt = WORK[work].format(*(rng.integers(10, 99, 2).tolist()))
        for model, skill in SKILL.items():
            right = bool(rng.random() < skill[work])
            answer = "right" if right else f"wrong {rng.integers(3)}"
            rows.append(
                {
                    "query_id": f"q{i}", "prompt": f"{prompt} ({i})", "dataset": work,
                    "model": model, "response": answer, "answer": answer, "score": float(right),
                    "gold": "right", "cost_usd": PRICE[model], "prompt_tokens": 20,
                    "completion_tokens": 5, "latency_s": 1.0,
                }
            )  # fmt: skip
    return whole(pl.DataFrame(rows))
