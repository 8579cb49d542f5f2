"""Any JSON for any kind: rows or one clear line, never a traceback."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tables import test_import_benchmarks as benchmarks
from tests.tables import test_import_evaluations as evaluations
from tests.tables import test_import_logs as logs
from tests.tables.importing import put, put_lines

from emafusion.domain.errors import BadInput
from emafusion.tables.importing.found import Wish
from emafusion.tables.importing.kinds import KINDS
from emafusion.tables.importing.run import Request, import_table

Write = Callable[[Path, object], Sequence[Path]]


def _one(name: str) -> Write:
    return lambda folder, value: [put(folder / name, value)]


def _lines(name: str) -> Write:
    return lambda folder, value: [
        put_lines(folder / name, value if isinstance(value, list) else [value])
    ]


def _zip(folder: Path, value: object) -> Sequence[Path]:
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps({"eval": evaluations.SPEC}))
        archive.writestr("samples/1.json", json.dumps(value))
    return [path]


def _pair(folder: Path, value: object) -> Sequence[Path]:
    requests = [logs._request("a")]
    return [put_lines(folder / "in.jsonl", requests), *_lines("out.jsonl")(folder, value)]


GOOD: Mapping[str, tuple[str, Write, object]] = {
    "routerbench": ("routerbench", _lines("a.jsonl"), [benchmarks.WIDE]),
    "routerarena": ("routerarena", _lines("a.jsonl"), [benchmarks.ARENA, benchmarks.PREDICTED]),
    "llmrouterbench": ("llmrouterbench", _one("a.json"), {
        "model_name": "m", "dataset_name": "d", "split": "s",
        "records": [{"index": 1, "prompt": "p", "score": 1.0, "cost": 0.1}]}),
    "routereval": ("routereval", _one("a.json"), {
        "prompt": {"train_prompt": ["p"]},
        "easy": {"model": ["a"], "data": {"train_score": [[1]]}}}),
    "leaderboard": ("routereval", _one("a.json"), {
        "models": ["a"], "data": {"s": {"correctness": [[1]]}}, "s": ["p"]}),
    "lm-eval": ("lm-eval", _lines("a__b/samples_t.jsonl"), [
        evaluations._generated(0, "none", 1.0, "4")]),
    "inspect, zipped": ("inspect", _zip, evaluations.SAMPLE),
    "inspect": ("inspect", _one("a.json"), {
        "eval": evaluations.SPEC, "samples": [evaluations.SAMPLE]}),
    "litellm": ("litellm", _one("a.json"), [logs.SPENT]),
    "openai-batch": ("openai-batch", _pair, [logs._answer("a")]),
    "jsonl": ("jsonl", _lines("a.jsonl"), [{"query_id": 1, "model": "m", "prompt": "p"}]),
    **{f"otel, {age}": ("otel", _lines("a.jsonl"), lines) for age, lines in logs.SPANS.items()},
}  # fmt: skip

ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0.5, 1e300, 2**70, "", "x", "[", "{}", [], {}, [[]], [None], {"": ""}, ["a"]]
)


@st.composite
def _changed(draw: st.DrawFn, value: object) -> object:
    """A value with something odd in place of one thing in it, at any depth."""
    children = (
        list(value)
        if isinstance(value, dict)
        else range(len(value))
        if isinstance(value, list)
        else []
    )
    if not children or draw(st.integers(0, 4)) == 0:
        return draw(ODD)
    place = draw(st.sampled_from(list(children)))
    if isinstance(value, dict):
        if draw(st.integers(0, 6)) == 0:
            return {name: each for name, each in value.items() if name != place}
        return {**value, place: draw(_changed(value[place]))}
    assert isinstance(value, list)
    return [*value[:place], draw(_changed(value[place])), *value[place + 1 :]]


@pytest.mark.parametrize("name", list(GOOD))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_change_of_a_good_file_is_rows_or_one_clear_line(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    """Something odd, anywhere in it."""
    kind, write, good = GOOD[name]
    value = data.draw(_changed(json.loads(json.dumps(good))))
    request = Request(
        importer=KINDS[kind].importer,
        sources=tuple(write(tmp_path, value)),
        out=tmp_path / "out.parquet",
        judges_out=tmp_path / "judges.parquet",
        wish=Wish(model="m"),
        skip_bad=data.draw(st.booleans()),
    )
    told = _told(request)
    assert told is None or (str(tmp_path) in told or kind in told)


def _told(request: Request) -> str | None:
    try:
        import_table(request)
    except BadInput as error:
        return str(error)
    return None
