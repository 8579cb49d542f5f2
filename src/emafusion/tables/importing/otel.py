"""GenAI spans of OpenTelemetry, as OTLP in JSON: what a collector's file exporter writes.

Spans that are no call of a model are left out, and so are failed ones. Messages may be in the span,
in its events, or in log records, which then must be among the sources. `gen_ai.evaluation.result`
events grade; `--metric NAME` makes the evaluation of that name the score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from emafusion.tables.importing.asked import asked, query_id_of
from emafusion.tables.importing.foreign import Foreign, files_of, foreign_rows
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.otel_spans import Event, Span, logs_of, spans_of
from emafusion.tables.importing.otel_turns import response_of, tools_of, turns_of
from emafusion.tables.importing.reach import Json, text
from emafusion.tables.jsonl import Fields

CALLS: Final = ("chat", "text_completion", "generate_content", "completion")
DETAILS: Final = "gen_ai.client.inference.operation.details"
GRADED: Final = "gen_ai.evaluation.result"


def import_otel(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each span that is a call of a model."""
    paths = list(files_of(sources, ".json", ".jsonl", ".json.gz", ".jsonl.gz"))
    logged: defaultdict[str, list[Event]] = defaultdict(list)
    for _, request in _requests(paths):
        for log in logs_of(request.fields):
            logged[log.key].append(log.event)
    for path, each in _requests(paths):
        place = each.place(path)
        if isinstance(each.fields, str):
            yield place.being(wrong=each.fields)
            continue
        for span in spans_of(each.fields):
            yield _found(place, span, logged.get(span.key, ()), wish=wish)
            place = Found(source=place.source, line=place.line, unit=place.unit)


def _requests(paths: Sequence[Path]) -> Iterator[tuple[Path, Foreign]]:
    return ((path, each) for path in paths for each in foreign_rows(path))


def _found(place: Found, span: Span, logged: Sequence[Event], *, wish: Wish) -> Found:
    events = (*span.events, *logged)
    attributes = dict(span.attributes)
    for event in events:
        if event.name == DETAILS:
            attributes |= event.attributes
    kind = attributes.get("gen_ai.operation.name") or attributes.get("llm.request.type")
    if kind not in CALLS and not (kind is None and "gen_ai.request.model" in attributes):
        return place.being(left_out="spans that are no call of a model")
    if span.failed:
        return place.being(left_out="calls that failed")
    cells = asked(turns_of(attributes, events), tools=tools_of(attributes))
    if cells["prompt"] is None and cells["messages"] is None:
        what = f"span '{span.name[:60]}' has no messages; switch on the capture of content"
        return place.being(wrong=what)
    row: Fields = {
        "query_id": query_id_of(cells),
        **cells,
        "model": _first(attributes, "gen_ai.request.model", "gen_ai.response.model") or wish.model,
        "response": response_of(attributes, events),
        "latency_s": span.latency_s,
        **_usage(attributes),
    }
    grades = list(_grades(row, events))
    scores = [grade["judge_score"] for grade in grades if grade["judge"] == wish.metric]
    row["score"] = scores[0] if scores else None
    others = tuple(grade for grade in grades if grade["judge"] != wish.metric)
    return place.being(row=row, grades=others)


def _usage(attributes: Fields) -> Fields:
    use = "gen_ai.usage."
    return {
        "prompt_tokens": _first(attributes, f"{use}input_tokens", f"{use}prompt_tokens"),
        "completion_tokens": _first(attributes, f"{use}output_tokens", f"{use}completion_tokens"),
        "cost_usd": _first(attributes, f"{use}cost", f"{use}total_cost"),
    }


def _first(attributes: Fields, *names: str) -> Json:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _grades(row: Fields, events: Sequence[Event]) -> Iterator[Fields]:
    for event in events:
        judge = text(event.attributes.get("gen_ai.evaluation.name"))
        if event.name == GRADED and judge is not None:
            yield {
                "query_id": row["query_id"],
                "model": row["model"],
                "judge": judge,
                "judge_score": event.attributes.get("gen_ai.evaluation.score.value"),
            }
