"""What `ask` and `explain` share: a question with its options, and a spinner."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click
import msgspec
from rich.console import Console
from typing_extensions import override

from emafusion.config import Config
from emafusion.domain.errors import BadInput
from emafusion.domain.query import ask
from emafusion.domain.session import session_of
from emafusion.gateway.service import Asked, new_decision_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question from the command line; `text` `-` means standard input."""

    text: str
    model: str
    quality_weight: float | None
    path: str | None
    as_json: bool
    explain: bool = False

    def asked(self, config: Config) -> Asked:
        """The question as the service takes it. Raises `BadInput` for an empty one."""
        prompt = _standard_input() if self.text == "-" else self.text
        if not prompt.strip():
            raise BadInput("the question is empty", where="TEXT")
        if not _is_text(prompt):
            raise BadInput("is not UTF-8 text", where="TEXT")
        query = ask(prompt, query_id=new_decision_id(), requested=self.model)
        objective = config.objective.objective()
        weight = self.quality_weight
        if weight is not None:
            objective = replace(objective, quality_weight=weight, answer_value_usd=None)
        return Asked(
            query=replace(query, stream=True),
            objective=objective,
            session=session_of(query),
            explain=self.explain,
        )


class Share(click.ParamType[float]):
    """A number from 0 to 1."""

    name = "number"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it; `nan` is none."""
        try:
            share = float(str(value))
        except ValueError:
            share = -1.0
        if not 0.0 <= share <= 1.0:
            self.fail(f"must be a number from 0 to 1, got {value!r}", param, ctx)
        return share


def asking(verb: Callable[[Question], None]) -> Callable[..., None]:
    """Make a function of a question into a command with the options of one."""

    @click.argument("text")
    @click.option(
        "--model", metavar="NAME", default="auto", show_default=True, help="who is to answer"
    )
    @click.option(
        "--quality-weight", type=Share(), help="0 = cheapest acceptable, 1 = best answers"
    )
    @click.option("--config", "path", metavar="FILE", help="config file")
    @click.option("--json", "as_json", is_flag=True, help="print JSON")
    def command(**options: object) -> None:
        verb(msgspec.convert(options, Question))

    command.__doc__ = verb.__doc__
    return command


@contextmanager
def spinner(told: str) -> Generator[Callable[[], None], None, None]:
    """Show on standard error that something is under way; call what it gives to end it early."""
    console = Console(stderr=True)
    status = console.status(told)
    if console.is_terminal:
        status.start()
    try:
        yield status.stop
    finally:
        status.stop()


def _standard_input() -> str:
    """All of it, without the newline that ends the last line."""
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"is not UTF-8 text (byte {error.start})", where="TEXT") from error


def _is_text(prompt: str) -> bool:
    """Whether it can be sent: what a shell passes on may be bytes that are no text."""
    return not any("\ud800" <= letter <= "\udfff" for letter in prompt)
