"""Artifacts: whole or not at all, checked when read."""

from __future__ import annotations

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


def test_saving_again_replaces_the_whole_and_leaves_no_scraps(tmp_path: Path) -> None:
    """Only the artifact is left in the folder's parent."""
    saved(tmp_path / "made")
    saved(tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_equal_arrays_make_equal_bytes(tmp_path: Path) -> None:
    """A rebuild that changes nothing changes no file."""
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two")
    assert (one / "arrays.npz").read_bytes() == (two / "arrays.npz").read_bytes()


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
    whole = (folder / "arrays.npz").read_bytes()
    (folder / "arrays.npz").write_bytes(whole[:cut])
    with pytest.raises(BadInput, match=r"arrays\.npz: cannot be read"):
        load(folder)


def test_arrays_that_do_not_fit_the_card_are_refused(tmp_path: Path) -> None:
    """Arrays of one artifact with the card of another."""
    folder, other = saved(tmp_path / "made"), tmp_path / "other"
    save(other, {"router/ability": np.zeros(5)}, MADE)
    (folder / "arrays.npz").write_bytes((other / "arrays.npz").read_bytes())
    with pytest.raises(BadInput, match="do not fit the card: router/ability"):
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
