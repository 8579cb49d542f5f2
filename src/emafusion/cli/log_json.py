"""Logged requests as JSON: one flat object each, every field by its name."""

from __future__ import annotations

import msgspec

from emafusion.build.explaining import Explained
from emafusion.replay.guarantee.logged import Quality
from emafusion.store.record import Detail, LabelsRecord, OutcomeRow, PlanRecord, Record
from emafusion.store.totals import Totals

Plain = dict[str, object]


def record_json(record: Record, told: Explained | None = None) -> str:
    """A record on one line: columns of both tables and the answer that was given.

    `told`: how the confidences came about, which is not worked out for whole lists.
    """
    made: Plain = {**_row(record.row), **_detail(record.detail), "answer": record.answer}
    if told is not None:
        made["signals"] = [msgspec.structs.asdict(signal) for signal in told.signals]
    return msgspec.json.encode(made).decode()


def totals_json(totals: Totals, quality: Quality) -> str:
    """Totals on one line, with the quality of what was answered."""
    made = msgspec.to_builtins(totals)
    return msgspec.json.encode(made | {"quality": quality}).decode()


def _row(row: OutcomeRow) -> Plain:
    return msgspec.structs.asdict(row)


def _detail(detail: Detail) -> Plain:
    """Nested rows that are written down as arrays get their names back."""
    return {
        **msgspec.structs.asdict(detail),
        "messages": None if detail.messages is None else msgspec.Raw(detail.messages.encode()),
        "tags": dict(detail.tags),
        "labels": None if detail.labels is None else _labels(detail.labels),
        "plans": [_plan(each) for each in detail.plans],
        "pool": [msgspec.structs.asdict(each) for each in detail.pool],
        "attempts": [
            msgspec.structs.asdict(each)
            | {"tool_calls": [msgspec.structs.asdict(call) for call in each.tool_calls]}
            for each in detail.attempts
        ],
    }


def _plan(plan: PlanRecord) -> object:
    if not plan.signals:
        return plan
    signals = [msgspec.structs.asdict(signal) for signal in plan.signals]
    return msgspec.structs.asdict(plan) | {"signals": signals}


def _labels(labels: LabelsRecord) -> Plain:
    return {
        axis: msgspec.structs.asdict(label)
        for axis, label in msgspec.structs.asdict(labels).items()
    }
