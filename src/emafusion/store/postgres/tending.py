"""Keeps the log in PostgreSQL in shape, in a thread of its own: a table a day, retention."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg

from emafusion.store.errors import StoreError
from emafusion.store.postgres.link import connect_now, postgres_error
from emafusion.store.postgres.migrating import migrate
from emafusion.store.postgres.partitions import DAY_S, Kept, make, make_ahead, tidy

EVERY_S = 600.0
AGAIN_S = 10.0
"""Seconds between looks, and after one that failed."""

LATEST_S = 2.0**32
"""No table is made for a day after that: a clock is wrong there."""

_log = logging.getLogger("emafusion")


class Tender:
    """Makes the days ahead and drops what is past keeping, until it is told to stop."""

    def __init__(self, url: str, kept: Kept, *, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._kept = kept
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="postgres-tender", daemon=True)

    def prepare(self) -> None:
        """Bring the database to the present schema, with tables for the next days.

        Raises:
            StoreError: it cannot be reached, or what is there is not ours to use.
        """
        with connect_now(self._url, doing="open the log") as connection:
            try:
                migrate(connection)
                make_ahead(connection, self._clock())
            except psycopg.Error as error:
                raise postgres_error(error, doing="open the log") from None

    def make(self, moments: set[float]) -> None:
        """Make the tables of the days of these moments. Raises `StoreError`."""
        days = {int(moment // DAY_S) for moment in moments if 0 <= moment < LATEST_S}
        with connect_now(self._url, doing="log an outcome") as connection:
            try:
                for day in sorted(days):
                    make(connection, range(day, day + 1))
            except psycopg.Error as error:
                raise postgres_error(error, doing="log an outcome") from None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, within the time of one look."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(EVERY_S)

    def look(self) -> tuple[str, ...]:
        """Make the days ahead, drop what is past keeping; names of what was dropped."""
        with connect_now(self._url, doing="tidy the log") as connection:
            try:
                make_ahead(connection, self._clock())
                return tidy(connection, self._kept, clock=self._clock)
            except psycopg.Error as error:
                raise postgres_error(error, doing="tidy the log") from None

    def _work(self) -> None:
        wait_s = AGAIN_S
        while not self._stop.wait(wait_s):
            try:
                gone = self.look()
            except StoreError as error:
                _log.warning("%s", error)
                wait_s = AGAIN_S
                continue
            wait_s = EVERY_S
            for name in gone:
                _log.info("PostgreSQL: %s removed, past what is kept", name)
