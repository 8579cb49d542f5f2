"""`emafusion explain`: the plan for a question and why; calls no model."""

from __future__ import annotations

import asyncio

import click
from msgspec import json

from emafusion.build.opening import candidates_of, parts_of
from emafusion.cli.asking import Question, asking
from emafusion.cli.configured import configured
from emafusion.cli.screen import screen
from emafusion.cli.story import show_explanation
from emafusion.flow.parts import Task
from emafusion.gateway.explanation import planned
from emafusion.gateway.names import objective_for


@click.command("explain", epilog="Example: emafusion explain 'What is 17% of 340?'")
@asking
def command(question: Question) -> None:
    """Show how TEXT would be answered, and why. No model is called, nothing is spent."""
    config = asyncio.run(configured(question.path)).config
    asked = question.asked(config)
    candidates = candidates_of(config)
    objective = objective_for(question.model, asked.objective)
    task = Task(query=asked.query, candidates=candidates, objective=objective)
    explanation = planned(task, parts_of(config, candidates))
    if question.as_json:
        click.echo(json.format(json.encode(explanation), indent=2))
    else:
        show_explanation(screen(), explanation)
