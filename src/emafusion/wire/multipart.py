r"""Bodies of `multipart/form-data` (RFC 7578, RFC 2046): a form's fields and its files.

Strict, since two readers that differ about where a part ends are a way in: every line ends in
CR LF, nothing stands before the first boundary or after the last, no part is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from msgspec import Struct

from emafusion.domain.errors import BadInput

MOST_PARTS = 20
_MOST_HEAD_BYTES = 4096
_BOUNDARY = re.compile(
    r"""multipart/form-data;\s*boundary=(?:"([^"\r\n]{1,70})"|([\w'()+,./:=?-]{1,70}))\s*$""",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r';\s*([\w*]+)=(?:"((?:[^"\\\r\n]|\\.)*)"|([^\s;"]*))\s*')
_ESCAPED = re.compile(r"\\(.)")


class FormPart(Struct, frozen=True, kw_only=True):
    """One field or file; `filename` is None for a field."""

    name: str
    data: bytes
    filename: str | None = None


def parse_form(content_type: str, body: bytes, /) -> tuple[FormPart, ...]:
    r"""Read a form. Raises `BadInput` for whatever is not one.

    >>> body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    >>> parse_form("multipart/form-data; boundary=x", body)
    (FormPart(name='a', data=b'1', filename=None),)
    """
    found = _BOUNDARY.match(content_type.strip())
    if found is None:
        what = "expected multipart/form-data with a boundary"
        raise BadInput(f"{what}, got {content_type[:80]!r}", where="content-type")
    boundary = (found[1] or found[2]).encode("latin-1", "replace")
    return tuple(_part(raw, n) for n, raw in enumerate(_cut(body, boundary)))


def _cut(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Cut the body at its boundaries."""
    first, between = b"--%b\r\n" % boundary, b"\r\n--%b" % boundary
    if not body.startswith(first):
        raise BadInput("the form does not begin with its boundary")
    at = len(first)
    for _ in range(MOST_PARTS):
        end = body.find(between, at)
        if end < 0:
            raise BadInput("the form is cut off: its last boundary is missing")
        yield body[at:end]
        after = body[end + len(between) : end + len(between) + 2]
        at = end + len(between) + 2
        if after == b"--":
            if body[at:] not in (b"", b"\r\n"):
                raise BadInput("something follows the end of the form")
            return
        if after != b"\r\n":
            raise BadInput("a boundary of the form does not end its line")
    raise BadInput(f"the form has more than {MOST_PARTS} parts")


def _part(raw: bytes, number: int) -> FormPart:
    head, found, data = raw.partition(b"\r\n\r\n")
    if not found or len(head) > _MOST_HEAD_BYTES:
        raise BadInput(f"part {number + 1} of the form has no head, or too long a one")
    headers = dict(_headers(head, number))
    given = dict(_parameters(headers.get("content-disposition", ""), number))
    coded = headers.get("content-transfer-encoding", "binary").lower()
    if coded not in {"binary", "7bit", "8bit"}:
        raise BadInput(f"part {number + 1} of the form is encoded as {coded[:20]!r}")
    if not given.get("name"):
        raise BadInput(f"part {number + 1} of the form has no name")
    return FormPart(name=given["name"], data=data, filename=_filename(given))


def _headers(head: bytes, number: int) -> Iterator[tuple[str, str]]:
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise BadInput(f"the head of part {number + 1} of the form is not UTF-8") from None
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or "\n" in line or "\r" in line or name != name.strip():
            raise BadInput(f"part {number + 1} of the form has a line that is no header")
        yield name.lower(), value.strip()


def _parameters(disposition: str, number: int) -> Iterator[tuple[str, str]]:
    kind, _, _ = disposition.partition(";")
    rest = disposition[len(kind) :]
    if kind.strip().lower() != "form-data":
        raise BadInput(f"part {number + 1} of the form is not form-data")
    while rest:
        found = _PARAMETER.match(rest)
        if found is None:
            raise BadInput(f"the disposition of part {number + 1} of the form cannot be read")
        quoted, plain = found[2], found[3]
        yield found[1].lower(), plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        rest = rest[found.end() :]


def _filename(given: dict[str, str]) -> str | None:
    """The name of the file without a path; how browsers write quotes is undone."""
    extended = given.get("filename*", "")
    name = given.get("filename")
    if extended.lower().startswith("utf-8''"):
        name = unquote(extended[7:])
    if name is None:
        return None
    plain = name.replace("%22", '"').rpartition("/")[2].rpartition("\\")[2]
    return "".join(c for c in plain if c.isprintable())[:255]
