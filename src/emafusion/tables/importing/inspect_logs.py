"""inspect_ai: logs as `.eval` (a zip with a file for each sample) and as `.json`.

Of several scorers `--metric` counts as the score, else the first; the others grade, each a judge.
Several epochs are samples.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.tables.importing.asked import asked, mean_logprob, said
from emafusion.tables.importing.foreign import files_of, read_json
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.inspect_turns import resolved, turn_of
from emafusion.tables.importing.reach import Json, items, pairs, reach, text
from emafusion.tables.jsonl import Fields

LETTERS: Final[Mapping[str, float]] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Grades of the scorers of inspect_ai: correct, partly, incorrect, no answer."""


def import_inspect(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each sample and epoch."""
    for path in files_of(sources, ".eval", ".json"):
        for number, (spec, sample, size) in enumerate(_samples(path), start=1):
            place = Found(source=str(path), line=number, unit="sample", size=size)
            yield _found(place, spec, sample=sample, wish=wish)


def _samples(path: Path) -> Iterator[tuple[Json, Json, int]]:
    """The head of the evaluation, and each of its samples, or what is wrong with it."""
    if path.suffix.lower() == ".json":
        log = read_json(path)
        samples = items(reach(log, "samples"))
        if reach(log, "eval", "model") is None:
            raise BadInput("is no log of inspect_ai", where=str(path))
        size = path.stat().st_size // max(1, len(samples))
        yield from ((reach(log, "eval"), sample, size) for sample in samples)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _zipped(archive, path)
    except (zipfile.BadZipFile, zlib.error, OSError) as error:
        raise BadInput(f"is no log of inspect_ai: {error}", where=str(path)) from error
    except NotImplementedError as error:
        what = "is compressed in a way Python cannot read; `inspect log convert` to json first"
        raise BadInput(what, where=str(path)) from error


def _zipped(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[Json, Json, int]]:
    names = archive.namelist()
    head = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
    spec = None if head is None else reach(_read(archive.read(head)), "eval")
    if reach(spec, "model") is None:
        raise BadInput("is no log of inspect_ai: it has no header", where=str(path))
    for name in names:
        if name.startswith("samples/") and name.endswith(".json"):
            yield spec, _read(archive.read(name)), archive.getinfo(name).compress_size


def _read(data: bytes) -> Json:
    try:
        read: object = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        return f"is not JSON: {str(error)[:120]}"
    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One sample of an evaluation. `counts`: the scorer whose score counts, None where none is."""

    task: str
    model: str
    sample: Json
    counts: str | None

    @property
    def key(self) -> Fields:
        """What names the answer: question, model and epoch."""
        epoch = reach(self.sample, "epoch")
        return {
            "query_id": f"{self.task}/{reach(self.sample, 'id')}",
            "model": self.model,
            "sample": epoch - 1 if isinstance(epoch, int) else None,
        }


def _found(place: Found, spec: Json, *, sample: Json, wish: Wish) -> Found:
    if isinstance(sample, str):
        return place.being(wrong=sample)
    if reach(sample, "error") is not None:
        return place.being(left_out="samples that ended in an error")
    scorers = [name for name, _ in pairs(reach(sample, "scores"))]
    if wish.metric is not None and wish.metric not in scorers:
        what = f"has no scorer '{wish.metric[:60]}'; there are {', '.join(scorers)}"
        return place.being(wrong=what)
    run = _Run(
        task=text(reach(spec, "task")) or "",
        model=text(reach(spec, "model")) or "",
        sample=sample,
        counts=wish.metric or next(iter(scorers), None),
    )
    return place.being(row=_row(run), grades=tuple(_grades(run)))


def _row(run: _Run) -> Fields:
    sample, output = run.sample, reach(run.sample, "output")
    score = reach(sample, "scores", run.counts) if run.counts else None
    usage = reach(output, "usage") or reach(sample, "model_usage", run.model)
    took = reach(output, "time")
    return {
        **run.key,
        "dataset": run.task,
        **_question(sample),
        "response": said(reach(output, "choices", 0, "message")),
        "answer": reach(score, "answer"),
        "score": _value(reach(score, "value")),
        "gold": _gold(reach(sample, "target")),
        "prompt_tokens": reach(usage, "input_tokens"),
        "completion_tokens": reach(usage, "output_tokens"),
        "cost_usd": reach(usage, "total_cost"),
        "latency_s": reach(sample, "total_time") if took is None else took,
        "mean_logprob": mean_logprob(reach(output, "choices", 0, "logprobs", "content")),
    }


def _grades(run: _Run) -> Iterator[Fields]:
    """The scores that are not the one that counts, as those of judges."""
    for name, each in pairs(reach(run.sample, "scores")):
        if name != run.counts:
            key = {name: run.key[name] for name in ("query_id", "model")}
            value = _value(reach(each, "value"))
            yield {**key, "repeat": run.key["sample"], "judge": name, "judge_score": value}


def _value(value: Json) -> Json:
    """A score as a number: letters as inspect_ai counts them; None for a score of many parts."""
    if isinstance(value, str):
        plain = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
        return LETTERS.get(value, plain.get(value.lower(), value))
    return None if isinstance(value, dict | list) else value


def _gold(target: Json) -> Json:
    only = items(target)
    return only[0] if len(only) == 1 else target


def _question(sample: Json) -> Fields:
    """What the model saw first: the conversation before its first turn, else the input."""
    whole = items(reach(sample, "messages"))
    before = next((i for i, turn in enumerate(whole) if reach(turn, "role") == "assistant"), 0)
    given = reach(sample, "input")
    turns: Json = whole[:before] or given
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    attached = reach(sample, "attachments")
    return asked([turn_of(resolved(turn, attached)) for turn in items(turns)])
