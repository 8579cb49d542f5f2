"""LLMRouterBench: a JSON file for each data set, split and model, with a list of records.

Its folders are `bench/DATASET/SPLIT/MODEL/...-TIME.json`; of several runs the latest counts. A cost
of 0 stands for a model without a price.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from emafusion.tables.importing.foreign import files_of, read_json
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.reach import Json, counted, items, paid, reach, text
from emafusion.tables.json_kinds import is_list


def import_llmrouterbench(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each record."""
    given = [source for source in sources if not source.is_dir()]
    folders = [source for source in sources if source.is_dir()]
    runs = groupby(files_of(folders, ".json"), key=lambda path: path.parent)
    latest = [max(paths, key=lambda path: path.name[-20:]) for _, paths in runs]
    for path in (*given, *latest):
        yield from _rows(path, wish)


def _rows(path: Path, wish: Wish) -> Iterator[Found]:
    run = read_json(path)
    folders = dict(zip(("model", "split", "dataset"), path.resolve().parts[-2::-1], strict=False))
    dataset = text(reach(run, "dataset_name")) or folders.get("dataset", "")
    split = text(reach(run, "split")) or folders.get("split", "")
    model = text(reach(run, "model_name")) or wish.model or folders.get("model", "")
    records = reach(run, "records")
    place = Found(source=str(path), line=1, unit="record")
    if not is_list(records):
        yield place.being(wrong="has no list of records, which LLMRouterBench has")
        return
    size = path.stat().st_size // max(1, len(records))
    for number, record in enumerate(items(records), start=1):
        place = Found(source=str(path), line=number, unit="record", size=size)
        if reach(run, "demo") is True:
            yield place.being(left_out="records of demonstrations")
            continue
        index = reach(record, "index")
        named = number if index is None else index
        yield place.being(
            row={
                "query_id": f"{dataset}/{split}/{named}",
                "dataset": dataset,
                "model": model,
                **_cells(record),
            }
        )


def _cells(record: Json) -> dict[str, Json]:
    return {
        "prompt": reach(record, "prompt") or reach(record, "origin_query"),
        "response": reach(record, "raw_output"),
        "answer": reach(record, "prediction"),
        "gold": reach(record, "ground_truth"),
        "score": reach(record, "score"),
        "prompt_tokens": counted(reach(record, "prompt_tokens")),
        "completion_tokens": counted(reach(record, "completion_tokens")),
        "cost_usd": paid(reach(record, "cost")),
    }
