"""`emafusion ask`: one question in this process, streamed, with the decision on demand."""

from __future__ import annotations

import os
import sys

import click
from msgspec import json
from rich.console import Console

from emafusion.build.opening import opened
from emafusion.cli.asking import Question, asking, spinner
from emafusion.cli.configured import configured
from emafusion.cli.serve import run
from emafusion.cli.story import show_decision, show_explanation, summary
from emafusion.domain.attempt import Delta
from emafusion.domain.outcome import Outcome
from emafusion.gateway.chat import reply_of
from emafusion.gateway.explanation import planned
from emafusion.gateway.facts import facts
from emafusion.gateway.service import Asked, Service


@click.command("ask", epilog="Example: emafusion ask 'What is the capital of Norway?' --explain")
@click.option("--explain", is_flag=True, help="show the decision, on standard error")
@asking
def command(question: Question) -> None:
    """Ask TEXT (or standard input, with -) and show the answer as it comes."""
    run(_ask(question))


async def _ask(question: Question) -> None:
    found = await configured(question.path)
    asked = question.asked(found.config)
    errors = Console(stderr=True, highlight=False)
    async with opened(found.config, os.environ) as gateway:
        if question.explain and not question.as_json:
            task = gateway.service.task(asked)
            show_explanation(errors, planned(task, gateway.service.parts))
            errors.print("")
        outcome = await _answered(asked, gateway.service, live=not question.as_json)
    if question.as_json:
        click.echo(json.format(json.encode(_as_json(outcome)), indent=2))
    elif question.explain:
        errors.print("")
        show_decision(errors, outcome)
    else:
        errors.print(summary(outcome), style="dim")


async def _answered(asked: Asked, service: Service, *, live: bool) -> Outcome:
    """Answer; with `live` write what comes to standard output. Raises the failure, if any."""
    with spinner("asking ...") as stop:

        async def sink(delta: Delta) -> None:
            stop()
            if live:
                sys.stdout.write(delta.text)
                sys.stdout.flush()

        outcome = await service.answer(asked, service.run(sink=sink))
    reply = reply_of(outcome)
    if live:
        was_held = not any(attempt.sent_live for attempt in outcome.answer.evidence.attempts)
        click.echo(reply.text if was_held else "")
    return outcome


def _as_json(outcome: Outcome) -> dict[str, object]:
    reply = reply_of(outcome)
    return {"text": reply.text, "emafusion": facts(outcome)}
