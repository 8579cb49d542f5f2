"""OTLP as JSON: spans and log records with their attributes as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emafusion.tables.importing.reach import Json, items, number, pairs, reach, text
from emafusion.tables.json_kinds import is_object
from emafusion.tables.jsonl import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened within a span: `attributes` with what its body says added."""

    name: str
    attributes: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One operation. `key`: trace and span, joined."""

    key: str
    name: str
    attributes: Fields
    events: tuple[Event, ...]
    failed: bool
    latency_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A log record and the span that it belongs to."""

    key: str
    event: Event


def spans_of(request: Json) -> Iterator[Span]:
    """Every span of an export request."""
    for resource in items(reach(request, "resourceSpans")):
        scopes = reach(resource, "scopeSpans") or reach(resource, "instrumentationLibrarySpans")
        for scope in items(scopes):
            for span in items(reach(scope, "spans")):
                yield _span(span)


def logs_of(request: Json) -> Iterator[Logged]:
    """Every log record of an export request."""
    for resource in items(reach(request, "resourceLogs")):
        for scope in items(reach(resource, "scopeLogs")):
            for record in items(reach(scope, "logRecords")):
                yield Logged(key=_key(record), event=_event(record))


def _span(span: Json) -> Span:
    attributes = _attributes(reach(span, "attributes"))
    begin, end = (number(reach(span, f"{side}TimeUnixNano")) for side in ("start", "end"))
    code = reach(span, "status", "code")
    return Span(
        key=_key(span),
        name=text(reach(span, "name")) or "",
        attributes=attributes,
        events=tuple(_event(event) for event in items(reach(span, "events"))),
        failed=code in (2, "STATUS_CODE_ERROR") or "error.type" in attributes,
        latency_s=None if begin is None or end is None else round((end - begin) / 1e9, 6),
    )


def _key(record: Json) -> str:
    return f"{reach(record, 'traceId')}/{reach(record, 'spanId')}"


def _event(event: Json) -> Event:
    attributes = _attributes(reach(event, "attributes"))
    body = _value(reach(event, "body"))
    if is_object(body):
        attributes = {**attributes, **body}
    name = reach(event, "eventName") or reach(event, "name") or attributes.get("event.name")
    return Event(name=text(name) or "", attributes=attributes)


def _attributes(listed: Json) -> Fields:
    return {
        key: _value(reach(each, "value"))
        for each in items(listed)
        if isinstance(key := reach(each, "key"), str)
    }


def _value(value: Json) -> Json:
    """What an attribute says; whole numbers stand in quotes."""
    kind, held = next(iter(pairs(value)), ("", None))
    if kind == "arrayValue":
        return [_value(each) for each in items(reach(held, "values"))]
    if kind == "kvlistValue":
        return _attributes(reach(held, "values"))
    if kind == "intValue":
        exact = number(held)
        return held if exact is None else int(exact)
    return held
