"""An import: sources of a kind -> an outcome table, and a judge table where one is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from emafusion.domain.errors import BadInput, Unready
from emafusion.tables.bad import BadRow, BadRows
from emafusion.tables.columns import JUDGES, OUTCOMES
from emafusion.tables.draft import Draft, Finished
from emafusion.tables.importing.found import Found, Importer, Wish
from emafusion.tables.importing.heap import Heap
from emafusion.tables.log import is_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to import. `judges_out`: where grades go, None for nowhere."""

    importer: Importer
    sources: tuple[Path, ...]
    out: Path
    judges_out: Path | None = None
    wish: Wish = field(default_factory=Wish)
    skip_bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was written. `skipped`: bad rows, the first of them in `bad`.

    `grades`: None where no judge table was asked for. `left_out`: how many things were no answer of
    a model, by what they were.
    """

    outcomes: Finished
    grades: Finished | None
    skipped: int
    bad: tuple[BadRow, ...]
    left_out: Mapping[str, int]


def import_table(
    request: Request, *, done: Callable[[int, int], None] = lambda _done, _all: None
) -> Imported:
    """Import, whole or not at all, and tell what there was.

    `done`: told how many bytes of how many are read. Raises `BadInput` where a row is bad (unless
    `skip_bad`) or nothing is left, and `Unready` without polars.
    """
    if find_spec("polars") is None:
        raise Unready("import needs the library polars: pip install 'emafusion[train]'")
    whole = sum(_size(path) for path in request.sources if not is_database(path))
    with ExitStack() as stack:
        drafts = [stack.enter_context(Draft(request.out, OUTCOMES))]
        if request.judges_out is not None:
            drafts.append(stack.enter_context(Draft(request.judges_out, JUDGES)))
        reading = _Reading(request, drafts)
        for read in reading.bytes_read():
            done(min(read, whole), whole)
        reading.check()
        finished = [draft.finish() for draft in drafts]
        for draft in drafts:
            draft.publish()
    return Imported(
        outcomes=finished[0],
        grades=finished[1] if len(finished) > 1 else None,
        skipped=reading.bad.count,
        bad=tuple(reading.bad.first),
        left_out=reading.left_out,
    )


def _size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder. Raises `BadInput` where there is neither."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    try:
        return path.stat().st_size
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"cannot be read: {why}", where=str(path)) from error


class _Reading:
    """Goes through the sources once."""

    def __init__(self, request: Request, drafts: list[Draft]) -> None:
        self.bad = BadRows()
        self.left_out: Counter[str] = Counter()
        self._request = request
        self._heaps = [
            Heap(draft, shape, bad=self.bad, keep_on=request.skip_bad)
            for draft, shape in zip(drafts, (OUTCOMES, JUDGES), strict=False)
        ]
        self._draft = drafts[0]

    def bytes_read(self) -> Iterator[int]:
        """Read everything; how far it is, after each thing found."""
        read = 0
        for found in self._request.importer(self._request.sources, self._request.wish):
            self._take(found)
            read += found.size
            yield read
        for heap in self._heaps:
            heap.flush()

    def check(self) -> None:
        """Raise `BadInput` where a row is bad that may not be, or nothing is left."""
        if not self._request.skip_bad:
            self.bad.refuse()
        if self._draft.rows:
            return
        where = ", ".join(map(str, self._request.sources))
        if self.bad.count:
            raise BadInput(f"every row is bad: {self.bad.told}", where=where)
        only = ", ".join(f"{what} ({count:,})" for what, count in self.left_out.items())
        raise BadInput(f"has no rows{f', only {only}' if only else ''}", where=where)

    def _take(self, found: Found) -> None:
        if found.left_out is not None:
            self.left_out[found.left_out] += 1
        elif found.wrong is not None:
            self._heaps[0].refuse(found, found.wrong)
        elif found.row is not None:
            self._heaps[0].add(found, found.row)
            for heap in self._heaps[1:]:
                for grade in found.grades:
                    heap.add(found, grade)
