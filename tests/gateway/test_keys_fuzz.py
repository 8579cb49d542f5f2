"""Whatever is put where a key, a setting or a limit belongs: an answer, never a bug."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emafusion.cli.keys_options import fields
from emafusion.domain.errors import BadInput, Denied
from emafusion.gateway.key_form import Fields, KeyForm, form_of, key_of, moment_of, read_form
from emafusion.gateway.keys import Unsure, make_keys
from emafusion.store.keys.memory import MemoryKeyStore, MemoryMeter
from emafusion.store.keys.ports import Charge, Counter, Meter
from emafusion.store.keys.secret import is_secret, new_secret
from emafusion.store.keys.sqlite_file import KeysFile
from emafusion.store.keys.sqlite_meter import SQLiteMeter

NOON = moment_of(1_800_000_000.0)
HEADERS = st.dictionaries(st.sampled_from(("authorization", "x-api-key", "cookie")), st.text())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(headers=HEADERS, scheme=st.sampled_from(("Bearer ", "bearer", "Basic ", "ema_", "")))
@example(headers={"authorization": "\ud800"}, scheme="Bearer ")
@example(headers={"x-api-key": "ema_" + "\u0660" * 42}, scheme="")
def test_no_header_is_a_key_by_chance(headers: dict[str, str], scheme: str) -> None:
    """Denied, or, where it has all of a key's shape, looked up."""
    keys = make_keys(("of-the-environment",), store=MemoryKeyStore(), required=True)
    given_headers = {name: f"{scheme}{text}" for name, text in headers.items()}
    try:
        found = keys.check(given_headers)
    except Denied:
        return
    assert isinstance(found, Unsure)


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_is_a_secret_by_chance(text: str) -> None:
    """Nor what begins like one."""
    assert not is_secret(text)
    assert not is_secret(f"ema_{text}")
    assert not is_secret(new_secret() + text) or not text


@settings(deadline=None)
@given(
    body=st.dictionaries(st.sampled_from(KeyForm.__struct_fields__) | st.text(), JSON),
    known=st.booleans(),
)
def test_no_settings_are_a_bug(body: dict[str, object], known: bool) -> None:  # noqa: FBT001 - drawn
    """Read, and the same when read back, or one clear line."""
    before = msgspec.structs.asdict(KeyForm(name="before")) if known else None
    found = _read(msgspec.json.encode(body), before)
    if isinstance(found, KeyForm):
        assert form_of(key_of(found, key_id="key_1", created_at=0.0)) == found
    else:
        assert "\n" not in str(found)


def _read(data: bytes, known: Fields | None) -> KeyForm | BadInput:
    try:
        return read_form(data, known=known)
    except BadInput as error:
        return error


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_are_a_bug(data: bytes) -> None:
    """As a body of the admin API."""
    with pytest.raises(BadInput):
        read_form(data)


@settings(deadline=None)
@given(
    given_options=st.fixed_dictionaries(
        {},
        optional={
            "models": st.text(),
            "max_parallel": st.text(),
            "expires": st.text() | st.from_regex(r"\A[0-9]{1,7}[mhdw]\Z"),
            "budget": st.tuples(st.text() | st.from_regex(r"\A-?[0-9.]{1,9}/day\Z")),
            "tag": st.tuples(st.text()),
        },
    )
)
def test_no_option_is_a_bug(given_options: dict[str, object]) -> None:
    """Of the command line."""
    assert NOON is not None
    try:
        made = fields(given_options, now=NOON)
    except BadInput:
        return
    assert set(made) <= set(KeyForm.__struct_fields__)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("reserve", "settle", "late", "spend")),
        st.integers(0, 3),
        st.floats(0.0, 5.0),
        st.floats(0.0, 40.0),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_both_meters_agree(steps: list[tuple[str, int, float, float]]) -> None:
    """The one in the file does what the simple one does, whatever comes in which order."""
    asyncio.run(_compare(steps))


async def _compare(steps: list[tuple[str, int, float, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = SQLiteMeter(KeysFile(Path(folder) / "keys.sqlite"))
        try:
            assert await _done(file, steps) == await _done(MemoryMeter(), steps)
        finally:
            await file.close()


async def _done(meter: Meter, steps: list[tuple[str, int, float, float]]) -> list[object]:
    now_s, seen, holds = 1_800_000_000.0, list[object](), list[str]()
    for number, (what, which, amount, later_s) in enumerate(steps):
        now_s += later_s
        minute = now_s // 60.0 * 60.0
        sliding = Counter(name=str(which), starts_s=minute, ends_s=minute + 60.0, sliding=True)
        charges = (
            Charge(counter=sliding, amount=amount, limit=9.0),
            Charge(counter=Counter(name="total"), amount=amount, limit=20.0),
        )
        if what == "reserve":
            hold = f"hold {number}"
            got = await meter.reserve(hold, charges, now_s=now_s, until_s=now_s + 30.0)
            seen.append(got.refused)
            holds.append(hold)
        elif what == "spend":
            seen.append(await meter.settle(None, charges, now_s=now_s))
        elif holds:
            hold = holds[0] if what == "late" else holds.pop()
            seen.append(await meter.settle(hold, charges[:1], now_s=now_s))
        levels = await meter.read(tuple(charge.counter for charge in charges), now_s=now_s)
        seen.append([(round(level.used, 6), round(level.held, 6)) for level in levels])
    return seen
