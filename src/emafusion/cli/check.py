"""`emafusion check`: every mistake of a config file, with its line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import click
import msgspec

from emafusion.build.opening import candidates_of, parts_of
from emafusion.build.promising import promise_of
from emafusion.cli.configured import HERE, read_text
from emafusion.config import Config, ConfigError, Problem, parse, places_of
from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.domain.model import Candidate


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    file: str
    ok: bool
    problems: tuple[Problem, ...] = ()
    models: int = 0
    keys_set: tuple[str, ...] = ()
    keys_missing: tuple[str, ...] = ()
    prices_unknown: tuple[str, ...] = ()


@click.command("check", epilog="Example: emafusion check emafusion.yaml")
@click.argument("path", metavar="[FILE]", default=HERE)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def command(path: str, *, as_json: bool) -> None:
    """Check the config FILE (emafusion.yaml if not said). Opens no connection, spends nothing.

    Each mistake is a line: FILE:LINE: key: what is wrong and what would be right; then the exit
    code is 2. A key that is missing in the environment is named, but is no mistake of the file.
    """
    try:
        report = _report(path, _checked(path))
    except BadInput as error:
        if not as_json:
            raise
        problems = error.problems if isinstance(error, ConfigError) else (_whole(path, error),)
        _print_json(_Report(file=path, ok=False, problems=problems))
        sys.exit(2)
    if as_json:
        _print_json(report)
    else:
        click.echo(f"{path}: ok, {'; '.join(_told(report))}")


def _checked(path: str) -> Config:
    """The config, with everything that decides made once. Raises `BadInput`."""
    config = parse(read_text(path, where="FILE"), source=path)
    if config.models:
        try:
            candidates = candidates_of(config)
            promise_of(config, candidates, parts_of(config, candidates).artifact)
        except EmafusionError as error:  # an artifact that is not there, or a void promise
            raise BadInput(str(error), where=path) from error
    return config


def _report(path: str, config: Config) -> _Report:
    places = [place.key_env for entry in config.models for place in places_of(entry)]
    keys = [*dict.fromkeys(filter(None, [*places, *(e.key_env for e in config.embeddings)]))]
    return _Report(
        file=path,
        ok=True,
        models=len(config.models),
        keys_set=tuple(key for key in keys if os.environ.get(key, "").strip()),
        keys_missing=tuple(key for key in keys if not os.environ.get(key, "").strip()),
        prices_unknown=tuple(c.name for c in candidates_of(config) if _is_unpriced(c)),
    )


def _is_unpriced(candidate: Candidate) -> bool:
    price = candidate.model.price
    if price is None:
        return True
    by_tokens = (price.prompt_usd_per_mtok, price.completion_usd_per_mtok)
    return price.cpu_usd_per_hour is None and None in by_tokens


def _told(report: _Report) -> Iterator[str]:
    """The parts of the one line that tells that all is well."""
    if not report.models:
        yield "no models: the pool is looked for in the environment"
        return
    yield f"{report.models} model{'s' if report.models > 1 else ''}"
    if report.keys_set:
        yield f"set: {', '.join(report.keys_set)}"
    if report.keys_missing:
        yield f"NOT SET: {', '.join(report.keys_missing)}"
    if report.prices_unknown:
        yield f"price unknown, counted as the dearest: {', '.join(report.prices_unknown)}"


def _whole(path: str, error: BadInput) -> Problem:
    """A problem of the file as a whole."""
    return Problem(source=path, line=None, path="", what=str(error).removeprefix(f"{path}: "))


def _print_json(report: _Report) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))
