"""The log that labels are kept in, wherever it is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from emafusion.home import LOG_NAME, home
from emafusion.store.feedback.feedback import Feedback, FeedbackStore
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.read import LogReader
from emafusion.store.reading import Reader

T = TypeVar("T")

_CONFIG_HERE = "emafusion.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLog:
    """A log that is read, and whose feedback is added to.

    `certificate`: file of the promise that is in service there, None where none is known.
    """

    reader: Reader
    open_store: Callable[[], FeedbackStore]
    certificate: str | None = None

    def keep(self, feedback: Feedback) -> None:
        """Keep a label. Raises `StoreError`."""
        self._do(lambda store: store.add(feedback))

    def audits(self, since: float, quality_weight: float) -> list[Feedback]:
        """Audits of answers given from then on (Unix seconds) at a setting of the dial."""
        return self._do(lambda store: store.audits(since, quality_weight))

    def _do(self, work: Callable[[FeedbackStore], Awaitable[T]]) -> T:
        async def done() -> T:
            store = self.open_store()
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(done())


def open_label_log(file: str | None, config: str | None, folder: str | None) -> LabelLog:
    """The log that was named, else that of the config, else the one in the home folder.

    Raises `BadInput` for a config with mistakes and where there is no log yet.
    """
    if file is not None or folder is not None:
        return _in_file(Path(file) if file is not None else Path(folder or "") / LOG_NAME)
    config = config or (_CONFIG_HERE if Path(_CONFIG_HERE).is_file() else None)
    if config is None:
        return _in_file(home(os.environ) / LOG_NAME)
    return _configured(config)


def _in_file(path: Path) -> LabelLog:
    return LabelLog(reader=LogReader(path), open_store=lambda: SqliteFeedback(path))


def _configured(path: str) -> LabelLog:
    # Only here: reading YAML takes longer than reading the log.
    from emafusion.build.state import open_feedback, open_reader
    from emafusion.cli.configured import read_config

    config = read_config(path)
    return LabelLog(
        reader=open_reader(config, os.environ),
        open_store=lambda: open_feedback(config, os.environ),
        certificate=config.objective.certificate,
    )
