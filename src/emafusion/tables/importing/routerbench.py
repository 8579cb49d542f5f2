"""RouterBench (withmartian): one row a question, three columns a model.

A model `M` has its score in column `M`, its answer in `M|model_response` and its dollars in
`M|total_cost`. Published as pickles, which are not read: export them first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from emafusion.tables.importing.foreign import files_of, foreign_rows
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.reach import items
from emafusion.tables.jsonl import Fields

COST, RESPONSE = "|total_cost", "|model_response"
ENDINGS: Final = (".parquet", ".csv", ".csv.gz", ".jsonl", ".json")


def import_routerbench(sources: Sequence[Path], _wish: Wish) -> Iterator[Found]:
    """One row for each question and model that has a score or an answer."""
    for path in files_of(sources, *ENDINGS):
        for each in foreign_rows(path):
            yield from _rows(each.place(path), each.fields)


def _rows(place: Found, fields: Fields | str) -> Iterator[Found]:
    if isinstance(fields, str):
        yield place.being(wrong=fields)
        return
    models = [
        name.removesuffix(end) for name in fields for end in (COST, RESPONSE) if name.endswith(end)
    ]
    if not models:
        what = f"has no column that ends in {RESPONSE} or {COST}, which RouterBench has"
        yield place.being(wrong=what)
    question: Fields = {
        "query_id": fields.get("sample_id"),
        "prompt": unlisted(fields.get("prompt")),
        "dataset": fields.get("eval_name"),
    }
    place = replace(place, size=place.size // max(1, len(set(models))))
    for model in dict.fromkeys(models):
        answer: Fields = {
            "model": model,
            "score": fields.get(model),
            "response": unlisted(fields.get(f"{model}{RESPONSE}")),
            "cost_usd": fields.get(f"{model}{COST}"),
        }
        if answer["score"] is not None or answer["response"] is not None:
            yield place.being(row={**question, **answer})


def unlisted(value: object) -> object:
    """Texts that stand as the printed form of a Python list, as RouterBench has them.

    >>> unlisted("['What is 2 + 2?']"), unlisted("[2]"), unlisted("plain")
    ('What is 2 + 2?', '[2]', 'plain')
    """
    if not isinstance(value, str) or not value.startswith(("['", '["')):
        return value
    try:
        read: object = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
    texts = [text for text in items(read) if isinstance(text, str)]
    return "\n\n".join(texts) if texts and len(texts) == len(items(read)) else value
