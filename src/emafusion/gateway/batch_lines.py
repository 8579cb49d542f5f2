"""The lines of a batch: what a file asks, and what is written of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.store.shelf.kept import Line, LineAnswer, LineFault
from emafusion.wire import faults

MOST_LINES = 50_000
"""Requests that one batch may have."""

MOST_FAULTS = 100
"""Faults of a file that are told; one is enough for the batch to fail."""


class _Line(Struct):
    custom_id: Annotated[str, Meta(min_length=1, max_length=512)]
    method: str
    url: str
    body: dict[str, Raw]


class _Details(Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    input_tokens: int | None = None
    completion_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Body(Struct):
    usage: _Usage | None = None


class Reader:
    """Reads the lines of a file, in pieces of any size; remembers what is wrong with them."""

    def __init__(self, endpoint: str) -> None:
        self.faults: list[LineFault] = []
        self.total = 0
        self._endpoint = endpoint
        self._number = 0
        self._seen: set[str] = set()
        self._is_full = False

    def lines(self, data: bytes) -> Iterator[Line]:
        """The requests that are in order; empty lines are skipped."""
        start, size = 0, len(data)
        while start < size and not self._is_full and len(self.faults) < MOST_FAULTS:
            end = data.find(b"\n", start)
            end = size if end < 0 else end
            self._number += 1
            raw = data[start:end].strip()
            start = end + 1
            read = self._read(raw) if raw else None
            if isinstance(read, LineFault):
                self.faults.append(read)
            elif read is not None:
                yield read
        if not self.total:
            self.faults.append(LineFault(code="empty_file", message="the file has no requests"))

    def _read(self, raw: bytes) -> Line | LineFault:
        self.total += 1
        if self.total > MOST_LINES:
            self._is_full = True
            what = f"more than {MOST_LINES} requests"
            return LineFault(code="too_many_requests", message=what)
        try:
            raw.decode()
            line = faults.decode(raw, _Line)
        except UnicodeDecodeError:
            return self._wrong("invalid_json_line", "not UTF-8")
        except BadInput as error:
            return self._wrong("invalid_json_line", str(error), param=error.where)
        return self._checked(line)

    def _checked(self, line: _Line) -> Line | LineFault:
        if line.method != "POST":
            return self._wrong("invalid_method", "must be POST", param="method")
        if line.url != self._endpoint:
            what = f"must be {self._endpoint}, as the batch says"
            return self._wrong("mismatched_url", what, param="url")
        if line.custom_id in self._seen:
            what = f"'{line.custom_id[:80]}' is there twice"
            return self._wrong("duplicate_custom_id", what, param="custom_id")
        self._seen.add(line.custom_id)
        body = msgspec.json.encode(line.body)
        return Line(number=self._number, custom_id=line.custom_id, body=body)

    def _wrong(self, code: str, what: str, param: str | None = None) -> LineFault:
        return LineFault(code=code, message=what, line=self._number, param=param)


def answered(line: Line, *, key: str, status: int, decision_id: str, body: bytes) -> LineAnswer:
    """What is written of an answer. `key`: of the batch."""
    text = {
        "id": f"batch_req_{key}_{line.number}",
        "custom_id": line.custom_id,
        "response": {
            "status_code": status,
            "request_id": decision_id,
            "body": Raw(body),
        },
        "error": None,
    }
    usage = _usage(body) if status == 200 else _Usage()
    read = usage.prompt_tokens_details or usage.input_tokens_details or _Details()
    said = usage.completion_tokens_details or usage.output_tokens_details or _Details()
    return LineAnswer(
        number=line.number,
        good=status == 200,
        text=msgspec.json.encode(text),
        prompt_tokens=usage.prompt_tokens or usage.input_tokens or 0,
        cached_tokens=read.cached_tokens or 0,
        completion_tokens=usage.completion_tokens or usage.output_tokens or 0,
        reasoning_tokens=said.reasoning_tokens or 0,
    )


def unanswered(line: Line, *, key: str, code: str, why: str) -> LineAnswer:
    """What is written of a line that nobody was asked."""
    text = {
        "id": f"batch_req_{key}_{line.number}",
        "custom_id": line.custom_id,
        "response": None,
        "error": {"code": code, "message": why},
    }
    return LineAnswer(number=line.number, good=False, text=msgspec.json.encode(text))


def _usage(body: bytes) -> _Usage:
    try:
        return msgspec.json.decode(body, type=_Body).usage or _Usage()
    except msgspec.MsgspecError:
        return _Usage()
