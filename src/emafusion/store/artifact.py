"""An artifact on disk: arrays and the card that says what they were made from.

A folder with `card.json` and the file of arrays that the card names (npz, no pickles). Written
whole or not at all: the arrays go to a file of their own first, then the card takes the old one's
place by one rename, and that is the moment from which the artifact is the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import msgspec
import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.store.artifact_files import (
    Arrays,
    content_sha256,
    differences,
    read_arrays,
    remove,
    whole_arrays,
    whole_file,
)

FORMAT_VERSION = 1
CARD, ARRAYS = "card.json", "arrays.npz"
KINDS = "biufU"
"""Kinds of arrays an artifact may hold: booleans, numbers, text."""

SHORT = 12
"""Digits of a hash that are shown and kept in the log."""

READS = 5
"""Times a reader looks again because a writer has just put another card in place."""


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One table that was learned from. `sha256`: of its content; `licence`: of its rows."""

    name: str
    rows: int
    queries: int
    sha256: str
    licence: str = "unknown"


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an artifact was made from, by what, how good it is and what it is not good for.

    `created`: ISO date; `version`: of this package; `made_with`: versions of what else matters;
    `labels`: which scores were read; `datasets`: queries of each data set by name; `encoder`: what
    reads queries; `learned`: what learned the learned view; `folds`: how rows were held out;
    `figures`: measured numbers by name. `arrays`, `sha256`, `shapes`: file, content hash and
    shapes of the arrays, filled in by `save`.
    """

    title: str
    created: str
    version: str
    made_with: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    sources: tuple[Source, ...] = ()
    labels: str = ""
    datasets: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    models: tuple[str, ...] = ()
    encoder: str = ""
    learned: str = ""
    folds: str = ""
    seed: int = 0
    figures: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    caveats: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION
    arrays: str = ARRAYS
    sha256: str = ""
    shapes: dict[str, list[int]] = msgspec.field(default_factory=dict[str, list[int]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Artifact:
    """Arrays by name, such as `router/ability`, and their card."""

    arrays: Arrays
    card: Card

    @property
    def digest(self) -> str:
        """First digits of the content hash: says which artifact decided.

        >>> card = Card(title="nothing", created="2025-01-01", version="0")
        >>> Artifact(arrays={}, card=card).digest
        'e3b0c44298fc'
        """
        return content_sha256(self.arrays)[:SHORT]


def save(folder: Path, arrays: Arrays, card: Card) -> None:
    """Write an artifact, whole or not at all; it replaces the artifact that was there.

    Other files in the folder are left alone.

    Raises:
        BadInput: an array is not of numbers or text, or holds NaN or infinity where it must not,
            or the folder cannot be written to.
    """
    _check(arrays, where=str(folder))
    digest = content_sha256(arrays)
    whole = msgspec.structs.replace(
        card,
        arrays=f"arrays-{digest[:SHORT]}.npz",
        sha256=digest,
        shapes={name: list(array.shape) for name, array in sorted(arrays.items())},
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        old = _file_of_old(folder)
        whole_arrays(folder / whole.arrays, arrays)
        whole_file(folder / CARD, msgspec.json.format(msgspec.json.encode(whole), indent=2))
        if old not in {None, whole.arrays}:
            remove(folder / str(old))
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", where=str(folder)) from error


def load(folder: Path) -> Artifact:
    """Read an artifact, also while another takes its place.

    Raises:
        BadInput: absent, of another format version, cut off, or not what its card says.
    """
    for _ in range(READS):
        card = load_card(folder)
        try:
            return _load(folder, card)
        except BadInput:
            # A writer may have replaced both files since the card was read.
            if load_card(folder) == card:
                raise
    raise BadInput("is replaced faster than it can be read", where=str(folder))


def load_default() -> Artifact | None:
    """Read the artifact that comes with the package; None if it has none."""
    with as_file(files("emafusion")) as package:
        folder = Path(package) / "artifacts" / "default"
        return load(folder) if (folder / CARD).is_file() else None


def load_card(folder: Path) -> Card:
    """Read and check the card alone.

    Raises:
        BadInput: absent, no card, or of another format version.
    """
    try:
        raw = (folder / CARD).read_bytes()
    except OSError as error:
        raise BadInput(f"no artifact: {error.strerror}", where=str(folder / CARD)) from error
    try:
        card = msgspec.json.decode(raw, type=Card)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not an artifact's card: {error}", where=str(folder / CARD)) from error
    if card.format_version != FORMAT_VERSION:
        wrong = f"format {card.format_version}, this version reads {FORMAT_VERSION}: fit it again"
        raise BadInput(wrong, where=str(folder / CARD))
    if Path(card.arrays).name != card.arrays:
        raise BadInput(f"arrays '{card.arrays[:80]}' is no file name", where=str(folder / CARD))
    return card


def _load(folder: Path, card: Card) -> Artifact:
    """Read the arrays of a card, and hold them against it."""
    arrays = read_arrays(folder / card.arrays)
    found = {name: list(array.shape) for name, array in arrays.items()}
    if found != card.shapes:
        wrong = differences(found, card.shapes)
        raise BadInput(f"arrays do not fit the card: {', '.join(wrong[:3])}", where=str(folder))
    if card.sha256 and content_sha256(arrays) != card.sha256:
        raise BadInput("arrays are not those that the card was written for", where=str(folder))
    _check(arrays, where=str(folder))
    return Artifact(arrays=arrays, card=card)


def _file_of_old(folder: Path) -> str | None:
    """File of the arrays that are there now; None where nothing readable is."""
    try:
        return load_card(folder).arrays
    except BadInput:
        return None


def _check(arrays: Arrays, *, where: str) -> None:
    """Every array is of numbers or text and finite; names that end in `_or_nan` may hold NaN."""
    for name, array in arrays.items():
        if array.dtype.kind not in KINDS:
            raise BadInput(f"array {name} holds {array.dtype}, not numbers or text", where=where)
        must_be_finite = array.dtype.kind == "f" and not name.endswith("_or_nan")
        if must_be_finite and not np.isfinite(array.astype(np.float64)).all():
            raise BadInput(f"array {name} holds NaN or infinity", where=where)
