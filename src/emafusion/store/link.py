"""The two connections that a log writes by, and whether they still lead to its file."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from emafusion.store.connection import connect, open_log
from emafusion.store.errors import StoreError, store_error
from emafusion.store.rows import Row, insert


class Link:
    """Writes rows to a file: at once or not at all, or with patience. Never by two threads at once.

    If the file was removed or replaced, by an operator or another program, rows would go nowhere:
    that is looked at before each write, and the patient way opens the file anew.
    """

    def __init__(self, path: Path, *, patience_s: float) -> None:
        self.path = path
        self._patience_s = patience_s
        self._open()

    def write_at_once(self, rows: list[Row]) -> bool:
        """Commit rows together, without waiting for anyone; whether it was done."""
        if not self._is_same_file():
            return False
        try:
            insert(self._at_once, rows)
        except sqlite3.Error:
            return False
        return True

    def write_patiently(
        self, rows: list[Row], *, in_haste: bool = False
    ) -> list[StoreError | None]:
        """Commit rows together; where that fails, one by one. An error for each, or None.

        `in_haste`: without waiting for another process, as it has been waited for in vain.
        """
        together = self._try(rows, in_haste=in_haste)
        if together is None or len(rows) == 1:
            return [together] * len(rows)
        # Patience once is enough: what held up all of them would hold up each.
        return [self._try([row], in_haste=True) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._at_once.close()
        self._patient.close()

    def _open(self) -> None:
        open_log(self.path)
        self._at_once = connect(self.path, patience_s=0.0)
        self._patient = connect(self.path, patience_s=self._patience_s)
        self._file = _identity(self.path)

    def _is_same_file(self) -> bool:
        return _identity(self.path) == self._file

    def _try(self, rows: list[Row], *, in_haste: bool) -> StoreError | None:
        try:
            if not self._is_same_file():
                self.close()
                self._open()
            insert(self._at_once if in_haste else self._patient, rows)
        except sqlite3.Error as error:
            return store_error(self.path, error, doing="log an outcome")
        except StoreError as error:
            return error
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file at this path; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - on the request path, where Path.stat costs twice
    except OSError:
        return None
    return found.st_dev, found.st_ino
