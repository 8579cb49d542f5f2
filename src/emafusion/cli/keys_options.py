"""Settings of a key as options of a command: what was given becomes fields of its form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

import click

from emafusion.domain.errors import BadInput
from emafusion.gateway.key_form import BUDGETS

Run = TypeVar("Run", bound=Callable[..., None])
Fields = dict[str, object]

NONE = "none"
_AHEAD = re.compile(r"(\d{1,6})(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NUMBERS = (
    ("quality_weight", "W", "where a request says none, 0 to 1"),
    ("quality_weight_min", "W", "the least that a request may ask for"),
    ("quality_weight_max", "W", "the most that a request may ask for"),
    ("requests_per_minute", "N", "requests in any minute"),
    ("tokens_per_minute", "N", "prompt and completion tokens in any minute"),
    ("max_parallel", "N", "requests at once"),
)


def with_settings(run: Run) -> Run:
    """Add the options of all settings; `fields` reads them."""
    options = [
        click.option("--models", metavar="A,B", help="models that it may use  [default: all]"),
        *(
            click.option(f"--{name.replace('_', '-')}", name, metavar=sign, help=about)
            for name, sign, about in _NUMBERS
        ),
        click.option(
            "--budget", metavar="USD/PERIOD", multiple=True,
            help="US dollars a day, week, month, or in total: 5/day; may be repeated",
        ),
        click.option("--expires", metavar="WHEN", help="30d, 12h or 2027-01-31"),
        click.option("--tag", metavar="NAME=TEXT", multiple=True, help="put into the log"),
    ]  # fmt: skip
    for option in reversed(options):
        run = option(run)
    return run


def fields(given: Fields, *, now: datetime) -> Fields:
    """What was given, by the names of the form. Raises `BadInput`; `none` takes a limit away.

    >>> fields({"budget": ("5/day",), "models": "a,b"}, now=datetime(2026, 1, 1))
    {'models': ['a', 'b'], 'budget_usd_per_day': 5}
    """
    made: Fields = {}
    if given.get("name") is not None:
        made["name"] = given["name"]
    if (models := given.get("models")) is not None:
        made["models"] = _models(str(models))
    for name, _, _ in _NUMBERS:
        if (text := given.get(name)) is not None:
            made[name] = _number(str(text), f"--{name.replace('_', '-')}")
    made.update(_budgets(_texts(given.get("budget"))))
    if (when := given.get("expires")) is not None:
        made["expires_at"] = _moment(str(when), now)
    if tags := _texts(given.get("tag")):
        made["tags"] = dict(_tag(text) for text in tags)
    return made


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else ()


def _models(text: str) -> list[str]:
    return [] if text == NONE else [name.strip() for name in text.split(",") if name.strip()]


def _number(text: str, where: str) -> float | int | None:
    if text == NONE:
        return None
    try:
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    except ValueError:
        raise BadInput(f"must be a number or {NONE}, got {text[:40]!r}", where=where) from None


def _budgets(texts: tuple[str, ...]) -> Iterator[tuple[str, float | int | None]]:
    known = {str(period): field for period, field in BUDGETS.items()}
    for text in texts:
        amount, _, period = text.strip().lstrip("$").partition("/")
        if period not in known:
            what = f"must be US dollars and a period such as 5/day or 100/total, got {text[:40]!r}"
            raise BadInput(what, where="--budget")
        yield known[period], _number(amount, "--budget")


def _moment(text: str, now: datetime) -> str | None:
    if text == NONE:
        return None
    try:
        if ahead := _AHEAD.fullmatch(text):
            return (now + timedelta(**{_UNITS[ahead[2]]: int(ahead[1])})).isoformat()
        read = datetime.fromisoformat(text)
    except (OverflowError, ValueError):  # so far ahead that no calendar has it, or no time at all
        what = f"must be a time ahead such as 30d, or a date such as 2027-01-31, got {text[:40]!r}"
        raise BadInput(what, where="--expires") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()


def _tag(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise BadInput(f"must be NAME=TEXT, got {text[:40]!r}", where="--tag")
    return name.strip(), value.strip()
