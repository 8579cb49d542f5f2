"""What can be said after `emafusion log`, and what it comes to: a filter and a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import msgspec

from emafusion.cli.moment import moment
from emafusion.domain.errors import BadInput
from emafusion.home import LOG_NAME, home
from emafusion.store.filter import Filter
from emafusion.store.read import LogReader
from emafusion.store.reading import Reader

ROWS_SHOWN = 20
_CONFIG_HERE = "emafusion.yaml"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be said on the command line."""

    decision_id: str | None
    since: str | None
    until: str | None
    candidate: str | None
    route: str | None
    status: int | None
    session: str | None
    min_confidence: float | None
    max_confidence: float | None
    failed: bool
    escalated: bool
    text: str | None
    limit: int | None
    totals: bool
    follow: bool
    as_json: bool
    export: str | None
    file: str | None
    path: str | None
    home: str | None

    def filter(self, now: datetime) -> Filter:
        """The conditions. Raises `BadInput` for a moment that is none."""
        return Filter(
            since=self._moment("since", now),
            until=self._moment("until", now),
            candidate=self.candidate,
            route=self.route,
            status=self.status,
            session=self.session,
            min_confidence=self.min_confidence,
            max_confidence=self.max_confidence,
            failed=self.failed,
            escalated=self.escalated,
            text=self.text or None,
        )

    def open(self) -> Reader:
        """Open what was named, else what the config names, else the file in the home folder.

        Raises `BadInput` for a config with mistakes and where there is no log yet.
        """
        if self.file is not None:
            return LogReader(Path(self.file))
        if self.home is not None:
            return LogReader(Path(self.home) / LOG_NAME)
        config = self.path or (_CONFIG_HERE if Path(_CONFIG_HERE).is_file() else None)
        return LogReader(home(os.environ) / LOG_NAME) if config is None else _open_named(config)

    def artifact(self) -> str | None:
        """Folder of the artifact that the config names; None for the one that ships."""
        config = self.path or (_CONFIG_HERE if Path(_CONFIG_HERE).is_file() else None)
        if config is None:
            return None
        from emafusion.cli.configured import read_config

        try:
            return read_config(config).policy.artifact
        except BadInput:  # the log can be read without it
            return None

    def refuse_contradictions(self) -> None:
        """Raise `BadInput` for what cannot go together: nothing that was said is ignored."""
        if self.decision_id is not None and (wrong := self._beside_an_id()):
            raise BadInput("does not go with a DECISION_ID, which is one request", where=wrong)
        if self.totals and self.follow:
            raise BadInput("does not go with --totals", where="--follow")
        if self.export is not None and (wrong := self._beside_an_export()):
            raise BadInput("does not go with --export, which writes a file", where=wrong)
        if self.totals and self.limit is not None:
            raise BadInput("does not go with --totals, which are over all", where="--limit")

    def _beside_an_id(self) -> str | None:
        alone = {"decision_id", "as_json", "file", "path", "home"}
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        given = (name for name, value in values.items() if value is not None and value is not False)
        return next((f"--{name.replace('_', '-')}" for name in given if name not in alone), None)

    def _beside_an_export(self) -> str | None:
        said = {"--totals": self.totals, "--follow": self.follow, "--json": self.as_json}
        return next((name for name, is_said in said.items() if is_said), None)

    def _moment(self, name: str, now: datetime) -> float | None:
        text: str | None = getattr(self, name)
        return None if text is None else moment(text, now=now, where=f"--{name}")


def _open_named(path: str) -> Reader:
    """Open the log where a config file puts it."""
    # Only here: reading YAML takes longer than reading the log.
    from emafusion.cli.configured import read_config

    config = read_config(path)
    if config.state.postgres_env is None:
        named = config.log.path
        return LogReader(Path(named) if named else home(os.environ) / LOG_NAME)
    from emafusion.build.state import open_reader

    return open_reader(config, os.environ)


_OPTIONS: tuple[Callable[[Callable[..., None]], Callable[..., None]], ...] = (
    click.argument("decision_id", required=False),
    click.option("--since", metavar="TIME", help="from then on: 2026-11-25, today, 2h (ago) ..."),
    click.option("--until", metavar="TIME", help="before then"),
    click.option("--candidate", metavar="NAME", help="whose answer was given"),
    click.option("--route", metavar="NAME", help="taxonomy, learned, prior, direct ..."),
    click.option("--status", type=int, metavar="N", help="HTTP status that the client got"),
    click.option("--session", metavar="NAME", help="of this session"),
    click.option("--min-confidence", type=click.FloatRange(0, 1), help="at least so sure"),
    click.option("--max-confidence", type=click.FloatRange(0, 1), help="at most so sure"),
    click.option("--failed", is_flag=True, help="the client got no answer"),
    click.option("--escalated", is_flag=True, help="a second model was asked"),
    click.option("--text", metavar="TEXT", help="occurs in the conversation or an answer"),
    click.option(
        "--limit",
        "-n",
        type=click.IntRange(min=0),
        help=f"requests at most, 0 = all  [default: {ROWS_SHOWN}, with --json all]",
    ),
    click.option("--totals", is_flag=True, help="sums and shares instead of requests"),
    click.option("--follow", "-f", is_flag=True, help="go on, and show what comes as it comes"),
    click.option("--json", "as_json", is_flag=True, help="one JSON object a line, whole requests"),
    click.option(
        "--export", metavar="FILE", help="write whole requests to a file: .parquet or .jsonl"
    ),
    click.option("--file", metavar="FILE", help="log file"),
    click.option("--config", "path", metavar="FILE", help="config file that names the log"),
    click.option("--home", metavar="DIR", help="folder of the log, in place of EMAFUSION_HOME"),
)


def with_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a function the options of `emafusion log`."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb
