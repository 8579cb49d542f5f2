"""lm-evaluation-harness: `samples_TASK_TIME.jsonl`, with `results_TIME.json` beside it.

The model's name is in the results file, else in the name of the folder (`org__model`). Where an
answer was read by several filters, one counts: `--filter`, else the first. Of several metrics
`--metric` counts, else the first that is known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emafusion.domain.errors import BadInput
from emafusion.tables.importing.asked import asked
from emafusion.tables.importing.foreign import foreign_rows, read_json
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.reach import Json, decoded, items, number, pairs, reach, text
from emafusion.tables.json_kinds import is_list, is_object
from emafusion.tables.jsonl import Fields

METRICS: Final = (
    "exact_match", "acc", "pass@1", "pass_at_1", "prompt_level_strict_acc", "math_verify", "em",
    "mc1", "mc2", "f1", "acc_norm", "score",
)  # fmt: skip
"""Names of metrics in the order in which one is taken, each from 0 to 1 for a single answer."""

_NAME: Final = re.compile(r"samples_(?P<task>.+?)(_(?P<time>\d{4}-\d\d-\d\dT[\d.:-]+))?\.jsonl?")


def import_lm_eval(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each question of each samples file."""
    for path in _samples(sources):
        named = _NAME.fullmatch(path.name)
        task = named["task"] if named else path.stem
        model = wish.model or _model(path, named["time"] if named else None)
        yield from _rows(path, _Run(task=task, model=model), wish)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    task: str
    model: str


def _samples(sources: Sequence[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            found = sorted(source.rglob("samples_*.json*"))
            if not found:
                what = "no samples_*.jsonl in it; lm_eval writes them with --log_samples"
                raise BadInput(what, where=str(source))
            yield from found
        elif source.suffix == ".json" and not source.name.startswith("samples_"):
            if reach(read_json(source), "model_name") is None:
                raise BadInput("is no results file of lm-evaluation-harness", where=str(source))
        else:
            yield source


def _model(path: Path, time: str | None) -> str:
    """Who answered: by the results of the same run, of any run in the folder, or the folder."""
    exact = path.parent / f"results_{time}.json"
    others = sorted(path.parent.glob("results*.json"), reverse=True)
    for results in ([exact] if exact.is_file() else []) + others:
        read = read_json(results)
        name = text(reach(read, "model_name")) or text(reach(read, "config", "model"))
        if name is not None:
            return name
    folder = path.resolve().parent.name
    if "__" in folder:
        return folder.replace("__", "/", 1)
    what = "nothing says whose answers these are; put results_*.json beside it, or use --model"
    raise BadInput(what, where=str(path))


def _rows(path: Path, run: _Run, wish: Wish) -> Iterator[Found]:
    chosen = wish.chosen_filter
    for each in foreign_rows(path):
        place, sample = each.place(path), each.fields
        if isinstance(sample, str):
            yield place.being(wrong=sample)
            continue
        named = text(sample.get("filter"))
        chosen = named if chosen is None else chosen
        if named is not None and named != chosen:
            yield place.being(left_out=f"readings by another filter than {chosen}")
            continue
        score = _score(sample, wish.metric)
        if isinstance(score, str):
            yield place.being(wrong=score)
            continue
        yield place.being(
            row={
                "query_id": f"{run.task}/{sample.get('doc_id')}",
                "dataset": run.task,
                "model": run.model,
                "score": score,
                "gold": sample.get("target"),
                **_question(sample),
                **_answer(sample),
            }
        )


def _score(sample: Fields, metric: str | None) -> Json:
    """The metric that counts; None where there is none; a text where the wanted one is absent."""
    if metric is not None:
        if metric in sample:
            return number(sample[metric])
        there = [name for name, value in sample.items() if number(value) is not None]
        return f"has no metric '{metric[:60]}'; there are {', '.join(there)}"
    listed = [name for name in items(sample.get("metrics")) if isinstance(name, str)]
    known = [name for name in METRICS if name in sample and (not listed or name in listed)]
    return next((number(sample[name]) for name in (*known, *listed) if name in sample), None)


def _calls(sample: Fields) -> Sequence[Json]:
    """Arguments of each call of the model, in either form that the harness writes."""
    arguments = sample.get("arguments")
    if is_object(arguments):
        return [[value for _, value in pairs(each)] for _, each in pairs(arguments)]
    return items(arguments)


def _question(sample: Fields) -> Fields:
    """What was asked: a text, or messages where a chat template was applied."""
    context = reach(_calls(sample), 0, 0)
    context = reach(context, 0) if is_list(context) else context
    messages = decoded(context)
    if is_list(messages) and reach(messages, 0, "role") is not None:
        return asked(messages)
    return {"prompt": context}


def _answer(sample: Fields) -> Fields:
    """The text that was generated, or the continuation that was likeliest."""
    read, calls = items(sample.get("filtered_resps")), _calls(sample)
    answer = reach(read, 0)
    if is_list(answer) and len(read) == len(calls):
        chances = [number(reach(one, 0)) for one in read]
        known = [float("-inf") if chance is None else chance for chance in chances]
        best = known.index(max(known))
        likeliest = text(reach(calls, best, 1))
        return {"response": likeliest, "answer": likeliest.strip() if likeliest else None}
    generated = reach(sample.get("resps"), 0, 0)
    return {
        "response": generated if isinstance(generated, str) else None,
        "answer": answer if isinstance(answer, str) and answer != generated else None,
    }
