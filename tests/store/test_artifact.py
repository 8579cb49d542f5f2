"""Artifacts: whole or not at all, checked when read."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from emafusion.domain.errors import BadInput
from emafusion.store.artifact import CARD, Artifact, Card, Source, load, load_default, save

ARRAYS = {
    "router/ability": np.array([0.5, -1.0]),
    "router/models": np.array(["a", "b"]),
    "router/cpu_or_nan": np.array([[np.nan, 1.0]]),
}
MADE = Card(
    title="two models", created="2025-01-01", version="0.1.0", models=("a", "b"),
    sources=(Source(name="t", rows=4, queries=2, sha256="0" * 64),), figures={"gain": 0.01},
)  # fmt: skip


def saved(folder: Path) -> Path:
    """An artifact on disk."""
    save(folder, ARRAYS, MADE)
    return folder


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    """Arrays and card come back as they were, shapes noted."""
    found = load(saved(tmp_path / "made"))
    assert isinstance(found, Artifact)
    np.testing.assert_array_equal(found.arrays["router/ability"], ARRAYS["router/ability"])
    assert found.arrays["router/models"].tolist() == ["a", "b"]
    assert found.card.figures == {"gain": 0.01}
    assert found.card.shapes["router/ability"] == [2]


def arrays_of(folder: Path) -> Path:
    """The one file of arrays in a folder."""
    (found,) = folder.glob("arrays*.npz")
    return found


def test_saving_again_replaces_the_artifact_and_nothing_else(tmp_path: Path) -> None:
    """No scraps are left, and a user's own file in the folder is not touched."""
    folder = saved(tmp_path / "made")
    before = arrays_of(folder)
    (folder / "notes.txt").write_text("mine")
    save(folder, {"router/ability": np.zeros(5)}, MADE)
    assert not before.exists()
    assert {path.name for path in folder.iterdir()} == {
        CARD,
        "notes.txt",
        arrays_of(folder).name,
    }
    assert load(folder).arrays["router/ability"].shape == (5,)


def test_the_card_is_the_moment_of_change(tmp_path: Path) -> None:
    """Arrays that were written but have no card yet are not the artifact."""
    folder, other = saved(tmp_path / "made"), tmp_path / "other"
    save(other, {"router/ability": np.zeros(5)}, MADE)
    new = arrays_of(other)
    (folder / new.name).write_bytes(new.read_bytes())
    assert load(folder).arrays["router/ability"].shape == (2,)
    (folder / CARD).write_bytes((other / CARD).read_bytes())
    assert load(folder).arrays["router/ability"].shape == (5,)


def test_a_reader_never_sees_half_of_a_change(tmp_path: Path) -> None:
    """One thread writes artifact after artifact, another reads: each read is one of them, whole."""
    folder = tmp_path / "made"
    sizes = (3, 40)
    save(folder, {"x": np.zeros(3)}, MADE)
    done = threading.Event()

    def write() -> None:
        for i in range(60):
            size = sizes[i % 2]
            save(folder, {"x": np.full(size, float(i))}, MADE)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        values = load(folder).arrays["x"]
        assert values.size in sizes
        assert len(set(values.tolist())) == 1
    writer.join()


def test_equal_arrays_have_an_equal_digest_and_others_another(tmp_path: Path) -> None:
    """Whatever the card says: the digest is of what decides."""
    found = load(saved(tmp_path / "made"))
    assert found.digest == Artifact(arrays=ARRAYS, card=MADE).digest
    assert found.card.sha256.startswith(found.digest)
    other = ARRAYS | {"router/ability": np.array([0.5, -1.5])}
    assert Artifact(arrays=other, card=MADE).digest != found.digest


def test_values_that_were_changed_afterwards_are_refused(tmp_path: Path) -> None:
    """Same shapes, other numbers: the card was not written for them."""
    folder, other = saved(tmp_path / "made"), tmp_path / "other"
    save(other, ARRAYS | {"router/ability": np.array([9.0, 9.0])}, MADE)
    arrays_of(folder).write_bytes(arrays_of(other).read_bytes())
    with pytest.raises(BadInput, match="not those that the card was written for"):
        load(folder)


def test_a_card_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    """Arrays lie beside their card."""
    folder = saved(tmp_path / "made")
    card = msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
    wrong = msgspec.structs.replace(card, arrays="../other/arrays.npz")
    (folder / CARD).write_bytes(msgspec.json.encode(wrong))
    with pytest.raises(BadInput, match="is no file name"):
        load(folder)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """One line, and the file is still there."""
    (tmp_path / "made").write_text("mine")
    with pytest.raises(BadInput, match="cannot be written: File exists"):
        saved(tmp_path / "made")
    assert (tmp_path / "made").read_text() == "mine"


def test_equal_arrays_make_equal_bytes(tmp_path: Path) -> None:
    """A rebuild that changes nothing changes no file."""
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two")
    assert arrays_of(one).read_bytes() == arrays_of(two).read_bytes()


def test_a_bad_array_leaves_what_was_there(tmp_path: Path) -> None:
    """Refused before anything is written."""
    folder = saved(tmp_path / "made")
    with pytest.raises(BadInput, match="router/ability holds NaN"):
        save(folder, {"router/ability": np.array([np.nan])}, MADE)
    with pytest.raises(BadInput, match="not numbers or text"):
        save(folder, {"x": np.array([object()])}, MADE)
    assert load(folder).arrays.keys() == ARRAYS.keys()


def test_no_artifact_is_said_in_one_line(tmp_path: Path) -> None:
    """The message names the file that is missing."""
    with pytest.raises(BadInput, match=r"card\.json: no artifact"):
        load(tmp_path)


def test_another_format_version_says_what_to_do(tmp_path: Path) -> None:
    """Old artifacts are not guessed at."""
    folder = saved(tmp_path / "made")
    card = msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
    newer = msgspec.structs.replace(card, format_version=99)
    (folder / CARD).write_bytes(msgspec.json.encode(newer))
    with pytest.raises(BadInput, match="format 99, this version reads 1"):
        load(folder)


@pytest.mark.parametrize("cut", [0, 10, 300])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    """A half-copied artifact is never used."""
    folder = saved(tmp_path / "made")
    whole = arrays_of(folder).read_bytes()
    arrays_of(folder).write_bytes(whole[:cut])
    with pytest.raises(BadInput, match=r"arrays-\w+\.npz: cannot be read"):
        load(folder)


def test_an_array_that_went_bad_is_named(tmp_path: Path) -> None:
    """A byte flipped within one array: the message says in which."""
    folder = saved(tmp_path / "made")
    raw = bytearray(arrays_of(folder).read_bytes())
    with zipfile.ZipFile(arrays_of(folder)) as held:
        entry = held.getinfo("router/ability.npy")
    raw[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0xFF
    arrays_of(folder).write_bytes(raw)
    with pytest.raises(BadInput, match=r"array router/ability cannot be read") as told:
        load(folder)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("card", "says"),
    [
        (b"", "not an artifact's card"),
        (b"[]", "not an artifact's card"),
        (b'{"title": "cut o', "not an artifact's card"),
        (b"\xff\xfe", "not an artifact's card"),
    ],
)
def test_a_card_that_was_cut_off_is_refused(tmp_path: Path, card: bytes, says: str) -> None:
    """Each names the file, and the arrays beside it are not used without it."""
    folder = saved(tmp_path / "made")
    (folder / CARD).write_bytes(card)
    with pytest.raises(BadInput, match=rf"card\.json: {says}"):
        load(folder)


def test_a_card_that_misses_an_array_or_has_one_more_says_which(tmp_path: Path) -> None:
    """Each array that differs is named."""
    folder = saved(tmp_path / "made")
    card = msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
    shapes = {name: shape for name, shape in card.shapes.items() if name != "router/ability"}
    wrong = msgspec.structs.replace(card, shapes={**shapes, "router/absent": [1]})
    (folder / CARD).write_bytes(msgspec.json.encode(wrong))
    says = "router/ability is not on the card, router/absent is missing"
    with pytest.raises(BadInput, match=says):
        load(folder)


def test_arrays_that_do_not_fit_the_card_are_refused(tmp_path: Path) -> None:
    """Arrays of one artifact with the card of another."""
    folder, other = saved(tmp_path / "made"), tmp_path / "other"
    save(other, {"router/ability": np.zeros(5)}, MADE)
    arrays_of(folder).write_bytes(arrays_of(other).read_bytes())
    with pytest.raises(BadInput, match=r"do not fit the card: router/ability is \[5\], should be"):
        load(folder)


def test_a_card_that_is_none_is_refused(tmp_path: Path) -> None:
    """Any JSON is not a card."""
    folder = saved(tmp_path / "made")
    (folder / CARD).write_text('{"title": 3}')
    with pytest.raises(BadInput, match="not an artifact's card"):
        load(folder)


def test_the_default_is_an_artifact_or_absent() -> None:
    """The package's own artifact loads whenever it is there."""
    found = load_default()
    assert found is None or found.card.models
