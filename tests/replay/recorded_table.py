"""A small outcome table: three models, questions of two kinds, all made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MODELS = {"small": (0.00001, 3), "middle": (0.0001, 2), "large": (0.001, 7)}
"""Name -> cost_usd of a call, and every how many queries it is wrong (7: hardly ever)."""


def rows_of(queries: int = 60, **changed: object) -> list[dict[str, object]]:
    """Rows with every column that a replay reads; `changed` replaces columns."""
    return [
        {
            "query_id": f"q{i}",
            "prompt": f"What is {i} plus {i}?",
            "dataset": "sums" if i % 2 else "doubles",
            "model": model,
            "response": f"It is {_said(i, wrong)}.\nAnswer: {_said(i, wrong)}",
            "answer": str(_said(i, wrong)),
            "score": float(_said(i, wrong) == 2 * i),
            "prompt_tokens": 12,
            "completion_tokens": 10,
            "cost_usd": cost_usd,
            "latency_s": 0.5 + 1000 * cost_usd,
            **changed,
        }
        for i in range(queries)
        for model, (cost_usd, wrong) in MODELS.items()
    ]


def frame_of(rows: list[dict[str, object]]) -> pl.DataFrame:
    """The rows as a table with every column of the design."""
    import polars as pl

    from emafusion.lab.reading import whole

    return whole(pl.DataFrame(rows, infer_schema_length=None))


def _said(i: int, wrong: int) -> int:
    return 2 * i + (i % wrong == 1)
