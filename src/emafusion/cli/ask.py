"""`emafusion ask`: one question in this process, streamed, with the decision on demand."""

from __future__ import annotations

import asyncio
import os
import sys

import click
from msgspec import json

from emafusion.build.opening import Opened, opened
from emafusion.cli.asking import Question, asking, spinner
from emafusion.cli.configured import configured
from emafusion.cli.loop import run
from emafusion.cli.printable import printable
from emafusion.cli.screen import say, screen
from emafusion.cli.story import show_decision, show_explanation, summary
from emafusion.domain.attempt import Delta
from emafusion.domain.errors import Failure, Unready
from emafusion.domain.outcome import Outcome
from emafusion.gateway.answering import reply_of
from emafusion.gateway.explanation import planned
from emafusion.gateway.facts import facts
from emafusion.gateway.service import Asked, Service


@click.command("ask", epilog="Example: emafusion ask 'What is the capital of Norway?' --explain")
@click.option("--explain", is_flag=True, help="tell the decision, on standard error")
@asking
def command(question: Question) -> None:
    """Ask TEXT (or standard input, with -) and show the answer as it comes.

    The answer goes to standard output; who gave it and what it cost to standard error.
    """
    run(_ask(question))


async def _ask(question: Question) -> None:
    found = await configured(question.path)
    asked = question.asked(found.config)
    errors = screen(stderr=True)
    async with opened(found.config, os.environ) as gateway:
        if question.explain:
            show_explanation(errors, planned(gateway.service.task(asked), gateway.service.parts))
            say(errors)
        outcome = await _answered(asked, gateway.service, live=not question.as_json)
        _raise_failure(outcome, gateway)
    if question.as_json:
        click.echo(json.format(json.encode(_as_json(outcome)), indent=2))
    if question.explain:
        say(errors)
        show_decision(errors, outcome)
    elif not question.as_json:
        say(errors, summary(outcome), style="dim")


async def _answered(asked: Asked, service: Service, *, live: bool) -> Outcome:
    """Answer; with `live` write what comes to standard output.

    Raises `BrokenPipeError` where nobody reads it any more, after logging what was done.
    """
    out = _Out()
    with spinner("asking ...") as stop:

        async def sink(delta: Delta) -> None:
            if live and delta.text:
                stop()
                out.write_or_leave(delta.text)

        try:
            outcome = await service.answer(asked, service.run(sink=sink))
        except asyncio.CancelledError:
            if out.left:
                raise BrokenPipeError from None
            raise
    if live and outcome.answer.reply is not None:
        was_held = not any(attempt.sent_live for attempt in outcome.answer.evidence.attempts)
        out.write(f"{reply_of(outcome).text if was_held else ''}\n")
    return outcome


class _Out:
    """Standard output, whose reader may leave."""

    left = False

    def write(self, text: str) -> None:
        """Write a piece at once; raw where it goes into a file or another program."""
        sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()

    def write_or_leave(self, text: str) -> None:
        """Write; where nobody reads any more, end the call as for any client that leaves."""
        try:
            self.write(text)
        except BrokenPipeError:
            self.left = True
            task = asyncio.current_task()
            if task is not None:
                task.cancel()


def _raise_failure(outcome: Outcome, gateway: Opened) -> None:
    """Raise why there is no answer, if there is none; a local model that cannot start says why."""
    try:
        reply_of(outcome)
    except Failure:
        for server in gateway.deployments.servers.values():
            if server.state == "failed" and server.reason is not None:
                raise Unready(server.reason) from None
        raise


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {"text": reply_of(outcome).text, "emafusion": facts(outcome)}
