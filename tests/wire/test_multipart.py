"""Forms: what a client sends is what is read, and nothing else is a form."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import BadInput
from emafusion.wire.multipart import FormPart, parse_form

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20)
PARTS = st.lists(
    st.builds(
        FormPart,
        name=NAMES,
        data=st.binary(max_size=200),
        filename=st.none()
        | NAMES.filter(lambda name: name.isprintable() and not set("/\\%") & set(name)),
    ),
    min_size=1,
    max_size=5,
)


def written(parts: list[FormPart], boundary: bytes) -> bytes:
    """A form as clients write it."""
    pieces = []
    for part in parts:
        head = f'Content-Disposition: form-data; name="{quoted(part.name)}"'
        if part.filename is not None:
            head += f'; filename="{quoted(part.filename)}"\r\nContent-Type: application/jsonl'
        pieces.append(b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head.encode(), part.data))
    return b"".join(pieces) + b"--%b--\r\n" % boundary


def quoted(text: str) -> str:
    """A text as it stands between quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


@given(PARTS)
def test_what_is_written_is_read(parts: list[FormPart]) -> None:
    """Names, file names and data come back, whatever is in them."""
    boundary = b"boundary" + b"0123456789abcdef"
    if any(boundary in part.data for part in parts):
        return
    kind = f"multipart/form-data; boundary={boundary.decode()}"
    assert parse_form(kind, written(parts, boundary)) == tuple(parts)


@given(st.binary(max_size=300), st.text(max_size=60))
def test_what_is_no_form_is_refused(body: bytes, kind: str) -> None:
    """Any bytes are a form or bad input, never anything else."""
    for told in (kind, "multipart/form-data; boundary=x"):
        try:
            parse_form(told, body)
        except BadInput:
            continue


@given(PARTS, st.data())
def test_a_form_that_is_cut_off_is_refused(parts: list[FormPart], data: st.DataObject) -> None:
    """No beginning of a form is a form."""
    whole = written(parts, b"0boundary0")
    end = data.draw(st.integers(0, len(whole) - 5))
    try:
        read = parse_form("multipart/form-data; boundary=0boundary0", whole[:end])
    except BadInput:
        return
    raise AssertionError(read)


def test_names_of_files_have_no_path() -> None:
    """A name is a name, whatever a client puts before it."""
    for name in ("../../etc/passwd", "C:\\\\dir\\\\passwd", "a/b/passwd"):
        body = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        (part,) = parse_form("multipart/form-data; boundary=x", body.encode() + b"1\r\n--x--\r\n")
        assert part.filename == "passwd"
