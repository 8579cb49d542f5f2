"""An artifact on disk: arrays and the card that says what they were made from.

A folder with `arrays.npz` (no pickles) and `card.json`. Written whole or not at all: everything
goes to a folder beside it, which then takes its place by one rename.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput

FORMAT_VERSION = 1
CARD, ARRAYS = "card.json", "arrays.npz"
KINDS = "biufU"
"""Kinds of arrays an artifact may hold: booleans, numbers, text."""

AnyArray = npt.NDArray[np.generic]
Arrays = Mapping[str, AnyArray]


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One table that was learned from. `sha256`: of the file; `licence`: of its rows."""

    name: str
    rows: int
    queries: int
    sha256: str
    licence: str = "unknown"


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an artifact was made from, by what, how good it is and what it is not good for.

    `created`: ISO date; `version`: of this package; `folds`: how rows were held out; `figures`:
    measured numbers by name; `shapes`: of every array, filled in by `save`.
    """

    title: str
    created: str
    version: str
    sources: tuple[Source, ...] = ()
    models: tuple[str, ...] = ()
    folds: str = ""
    seed: int = 0
    figures: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    caveats: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION
    shapes: dict[str, list[int]] = msgspec.field(default_factory=dict[str, list[int]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Artifact:
    """Arrays by name, such as `router/ability`, and their card."""

    arrays: Arrays
    card: Card


def save(folder: Path, arrays: Arrays, card: Card) -> None:
    """Write an artifact, whole or not at all; replaces what was there.

    Raises:
        BadInput: an array is not of numbers or text, or holds NaN or infinity where it must not.
    """
    _check(arrays, where=str(folder))
    shapes = {name: list(array.shape) for name, array in sorted(arrays.items())}
    whole = msgspec.structs.replace(card, shapes=shapes)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_arrays(draft / ARRAYS, arrays)
        (draft / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2))
        draft.chmod(0o755)
        _put_in_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load(folder: Path) -> Artifact:
    """Read an artifact.

    Raises:
        BadInput: absent, of another format version, cut off, or not what its card says.
    """
    card = _load_card(folder)
    arrays = _load_arrays(folder)
    found = {name: list(array.shape) for name, array in arrays.items()}
    if found != card.shapes:
        wrong = _differences(found, card.shapes)
        raise BadInput(f"arrays do not fit the card: {', '.join(wrong[:3])}", where=str(folder))
    _check(arrays, where=str(folder))
    return Artifact(arrays=arrays, card=card)


def load_default() -> Artifact | None:
    """Read the artifact that comes with the package; None if it has none."""
    with as_file(files("emafusion")) as package:
        folder = Path(package) / "artifacts" / "default"
        return load(folder) if (folder / CARD).is_file() else None


def _load_card(folder: Path) -> Card:
    """Read and check the card."""
    try:
        raw = (folder / CARD).read_bytes()
    except OSError as error:
        raise BadInput(f"no artifact: {error.strerror}", where=str(folder / CARD)) from error
    try:
        card = msgspec.json.decode(raw, type=Card)
    except msgspec.MsgspecError as error:
        raise BadInput(f"not an artifact's card: {error}", where=str(folder / CARD)) from error
    if card.format_version != FORMAT_VERSION:
        wrong = f"format {card.format_version}, this version reads {FORMAT_VERSION}: fit it again"
        raise BadInput(wrong, where=str(folder / CARD))
    return card


def _load_arrays(folder: Path) -> dict[str, AnyArray]:
    """Read every array, without pickles."""
    try:
        with (folder / ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(folder / ARRAYS)) from error


def _write_arrays(path: Path, arrays: Arrays) -> None:
    """Write a compressed npz whose bytes depend on the arrays alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            # A fixed date: equal arrays make an equal file.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(arrays[name]), allow_pickle=False)


def _put_in_place(draft: Path, folder: Path) -> None:
    """Let the draft take the folder's place; a reader sees the old or the new one."""
    if not folder.exists():
        draft.replace(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.replace(old / "old")
    draft.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _check(arrays: Arrays, *, where: str) -> None:
    """Every array is of numbers or text and finite; names that end in `_or_nan` may hold NaN."""
    for name, array in arrays.items():
        if array.dtype.kind not in KINDS:
            raise BadInput(f"array {name} holds {array.dtype}, not numbers or text", where=where)
        must_be_finite = array.dtype.kind == "f" and not name.endswith("_or_nan")
        if must_be_finite and not np.isfinite(array.astype(np.float64)).all():
            raise BadInput(f"array {name} holds NaN or infinity", where=where)


def _differences(found: Mapping[str, list[int]], wanted: Mapping[str, list[int]]) -> list[str]:
    """Names of arrays that are missing, unexpected or of another shape."""
    names = sorted(found.keys() | wanted.keys())
    return [name for name in names if found.get(name) != wanted.get(name)]
