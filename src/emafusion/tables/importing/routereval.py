"""Score matrices in the manner of RouterEval: questions by models, nothing but scores.

Read are: a wide table (parquet, CSV, JSON) with a row a question and a column a model beside
`prompt`; an export of its router data sets (`model`, `data` with `train_score` and so on, `prompt`
with `train_prompt` and so on, at any depth); and of its leaderboard scores (`models`, `data` with
`correctness` of each subset), together with a file of the prompts of each subset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emafusion.tables.importing.foreign import files_of, foreign_rows, read_json
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.reach import Json, items, pairs, reach
from emafusion.tables.json_kinds import is_list, is_object
from emafusion.tables.jsonl import Fields

ENDINGS: Final = (".parquet", ".csv", ".csv.gz", ".jsonl", ".json")
NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("query_id", "prompt_id", "sample_id", "id", "index"), "query_id"),
    **dict.fromkeys(("prompt", "question", "query"), "prompt"),
    **dict.fromkeys(("dataset", "category", "subset", "task", "eval_name"), "dataset"),
    **dict.fromkeys(("gold", "target"), "gold"),
}
"""Columns of a wide table that are no model; any other one is."""


def import_routereval(sources: Sequence[Path], _wish: Wish) -> Iterator[Found]:
    """One row for each question and model that has a score."""
    paths = list(files_of(sources, *ENDINGS))
    nested = [(path, read_json(path)) for path in paths if path.suffix.lower() == ".json"]
    prompts = {name: each for _, read in nested for name, each in _prompts(read)}
    for path, read in nested:
        if is_object(read):
            yield from _matrices(path, read, prompts)
    for path in paths:
        if path.suffix.lower() != ".json" or any(
            path == other and is_list(read) for other, read in nested
        ):
            yield from _wide(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """Scores of one set of questions: a list a question, in the order of `models`."""

    dataset: str
    models: Sequence[Json]
    scores: Json
    prompts: Sequence[Json]


def _prompts(read: Json) -> Iterator[tuple[str, Sequence[Json]]]:
    """Lists of texts by the name of the subset."""
    for name, each in pairs(read):
        if items(each) and all(isinstance(one, str) for one in items(each)):
            yield name, items(each)


def _matrices(path: Path, read: Json, prompts: Mapping[str, Sequence[Json]]) -> Iterator[Found]:
    stem = path.stem.removesuffix("_router_dataset")
    for matrix in (*_routed(stem, read, reach(read, "prompt")), *_board(read, prompts)):
        for i, row in enumerate(items(matrix.scores)):
            place = Found(source=str(path), line=i + 1, unit=f"{matrix.dataset} row")
            if len(items(row)) != len(matrix.models):
                what = f"has {len(items(row))} scores, there are {len(matrix.models)} models"
                yield place.being(wrong=what)
                continue
            question: Fields = {
                "query_id": f"{matrix.dataset}/{i}",
                "prompt": reach(matrix.prompts, i),
                "dataset": matrix.dataset.partition("/")[0],
            }
            for model, score in zip(matrix.models, items(row), strict=True):
                if score is not None:
                    yield place.being(row={**question, "model": model, "score": score})


def _routed(stem: str, read: Json, prompts: Json) -> Iterator[_Matrix]:
    """Pools of a router data set, wherever they hang in the tree."""
    models, data = reach(read, "model"), reach(read, "data")
    if is_list(models) and is_object(data):
        for name, scores in pairs(data):
            split, _, kind = name.rpartition("_")
            if kind == "score":
                asked = items(reach(prompts, f"{split}_prompt"))
                yield _Matrix(
                    dataset=f"{stem}/{split}", models=models, scores=scores, prompts=asked
                )
        return
    for name, below in pairs(read):
        if name not in {"prompt", "embedding", "split_index"}:
            yield from _routed(stem, below, prompts)


def _board(read: Json, prompts: Mapping[str, Sequence[Json]]) -> Iterator[_Matrix]:
    """Subsets of the leaderboard's scores."""
    models = items(reach(read, "models"))
    for name, subset in pairs(reach(read, "data")) if models else ():
        yield _Matrix(
            dataset=name,
            models=models,
            scores=reach(subset, "correctness"),
            prompts=prompts.get(name, ()),
        )


def _wide(path: Path) -> Iterator[Found]:
    for each in foreign_rows(path):
        place = each.place(path)
        if isinstance(each.fields, str):
            yield place.being(wrong=each.fields)
            continue
        question: Fields = {"query_id": each.line - 1, "dataset": path.stem}
        scores: Fields = {}
        for name, cell in each.fields.items():
            if name.lower() in NAMES:
                question[NAMES[name.lower()]] = cell
            elif name and not name.startswith("Unnamed:"):
                scores[name] = cell
        for model, score in scores.items():
            if score is not None and score != "":
                yield place.being(row={**question, "model": model, "score": score})
