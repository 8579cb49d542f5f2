"""The body of a client's request, before anybody looks into its fields."""

from __future__ import annotations

import json

from msgspec import Raw

from emafusion.domain.errors import BadInput
from emafusion.wire import faults

Fields = tuple[tuple[str, bytes], ...]
"""Each top-level field with its JSON, in the order received."""

_RAW_FIELDS = dict[str, Raw]


def fields_of(body: bytes, /) -> Fields:
    """Cut a body into its top-level fields, each with its JSON as it came.

    Raises `BadInput` unless it is one JSON object in UTF-8 that names no field twice.

    >>> fields_of(b'{"a": 1, "b": [2]}')
    (('a', b'1'), ('b', b'[2]'))
    """
    if not body.strip():
        raise BadInput("the body is empty; expected a JSON object")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"the body is not UTF-8 (byte {error.start})") from None
    raw = faults.decode(body, _RAW_FIELDS)
    fields = tuple([(name, bytes(value)) for name, value in raw.items()])
    if _compact_size(fields) != len(body) and not _are_named_once(fields, body):
        _refuse_repeats(body)
    return fields


def _compact_size(fields: Fields) -> int:
    """Length of the body if nothing was left out: no spaces between fields, no repeated name.

    Most clients write that way, and then nothing more needs to be checked.
    """
    return 1 + sum([len(name.encode()) + len(value) + 4 for name, value in fields])


def _are_named_once(fields: Fields, body: bytes) -> bool:
    r"""Whether no name comes twice in the body, at any depth; plain names only, to be quick.

    In a text a quote has a backslash before it, so no text can hold a name in quotes; but a name
    can be spelled otherwise with `\u`, or with `\/` for a slash.
    """
    plain = b"\\u" not in body and b"\\/" not in body
    return plain and all(body.count(f'"{name}"'.encode()) == 1 for name, _ in fields)


def _refuse_repeats(body: bytes) -> None:
    """Refuse a top-level field that comes twice: readers differ in which one they take."""
    names: list[str] = []

    def keep(pairs: list[tuple[str, object]]) -> None:
        # Objects are reported from the inside out, so the outermost is the last to be kept.
        names[:] = [name for name, _ in pairs]

    try:
        json.loads(body, object_pairs_hook=keep, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise BadInput("not valid JSON, or nested too deeply") from None
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BadInput("is given twice", where=repeated)
