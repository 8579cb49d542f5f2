"""What the model names of the child mean: ways to answer, of different price and skill.

    smollm2-135m          the model as it is smollm2-135m-fewshot  the same after a few worked
    examples: dearer, better where the form of the answer matters smollm2-135m-vote     five draws,
    the most common short answer: the dearest calculator            a program, not a language
    model: exact arithmetic and dates, or "not my task"

The language model's real name and what its numbers are worth: design/embedded.md.
"""

from __future__ import annotations

from .action import Action
from .actions import FewShot, Vote, ZeroShot
from .calculator import Calculator
from .generate import Generate


def embedded_actions(generate: Generate) -> tuple[Action, ...]:
    """The actions of the embedded pool, cheapest language model first."""
    return (
        ZeroShot(name="smollm2-135m", generate=generate),
        FewShot(name="smollm2-135m-fewshot", generate=generate),
        Vote(name="smollm2-135m-vote", generate=generate),
        Calculator(),
    )
