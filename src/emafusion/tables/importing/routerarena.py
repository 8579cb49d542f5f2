"""RouterArena (RouteWorks): recorded answers of models, and prediction files of routers.

Its questions are for testing only: nothing may be fitted on them. So every row's data set begins
with `routerarena/`, and `emafusion.tables.marks` knows it by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from emafusion.tables.importing.foreign import files_of, foreign_rows
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.reach import counted, reach, text
from emafusion.tables.jsonl import Fields
from emafusion.tables.marks import TEST_ONLY


def import_routerarena(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each answer: of `cached_results/*.jsonl` or `predictions/*.json`."""
    for path in files_of(sources, ".jsonl", ".json"):
        for each in foreign_rows(path):
            yield _found(each.place(path), each.fields, wish)


def _found(place: Found, row: Fields | str, wish: Wish) -> Found:
    if isinstance(row, str):
        return place.being(wrong=row)
    index = text(row.get("global_index")) or text(row.get("global index"))
    result = row.get("generated_result") or row
    if index is None:
        return place.being(wrong="has no global_index, which RouterArena has")
    if text(reach(result, "generated_answer")) is None or reach(result, "success") is False:
        return place.being(left_out="questions without an answer")
    graded = row.get("evaluation_result")
    usage = reach(result, "token_usage")
    model = (
        text(row.get("llm_selected"))
        or text(reach(result, "model_used"))
        or text(row.get("prediction"))
        or wish.model
    )
    cost, score = reach(graded, "inference_cost"), reach(graded, "score")
    return place.being(
        row={
            "query_id": f"{TEST_ONLY}{index}",
            "prompt": row.get("question") or row.get("prompt"),
            "dataset": f"{TEST_ONLY}{index.rpartition('_')[0] or index}",
            "model": model,
            "response": reach(result, "generated_answer"),
            "score": row.get("accuracy") if score is None else score,
            "gold": reach(graded, "ground_truth"),
            "prompt_tokens": counted(reach(usage, "input_tokens")),
            "completion_tokens": counted(reach(usage, "output_tokens")),
            "cost_usd": row.get("cost") if cost is None else cost,
        },
    )
