"""Quantities: asked for in one unit, and given in another or in none."""

from __future__ import annotations

import time

import pytest

from emafusion.domain.attempt import Choice, Reply
from emafusion.domain.query import ask
from emafusion.judge.rules import examine
from emafusion.judge.units import unit_asked, unit_kept


def said(prompt: str, text: str) -> str:
    """What the check says of an answer."""
    return unit_kept(ask(prompt), Reply(choices=(Choice(text=text),), model="m")).outcome


FAR = "How far is it from Oslo to Bergen in km?"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (FAR, "It is about 190 miles."),
        (FAR, "**190 mi** in all: 190 miles"),
        ("Convert 68 °F to Celsius.", "The result is 341 °F."),
        ("How long does it take, in minutes?", "It takes 2 hours."),
        ("What is its speed in m/s?", "First 3, then 5: 36 km/h"),
        ("How many grams is that?", "0.4 kg"),
        ("What is the mass? Include the unit in your answer.", "42"),
        ("Find the area and state the units.", "The area is 42."),
    ],
)
def test_another_unit_than_the_asked_one_is_a_fault(prompt: str, text: str) -> None:
    """The last number carries another unit of that kind, or none carries any."""
    assert said(prompt, text) == "bad"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (FAR, "463 km"),
        (FAR, "288 miles, that is 463 kilometers"),
        (FAR, "463 kilometers (288 miles)"),
        (FAR, "463"),
        (FAR, "463000 m"),
        (FAR, "Nobody knows."),
        (FAR, "It takes 7 hours by train."),
        ("Convert 5 miles to km.", "8.05 is what 5 miles are"),
        ("What is the speed in km/h?", "It went 30 km in an hour: 30 km/h"),
        ("How long is it in miles or km?", "3 feet"),
        ("Explain how to cook rice in minutes.", "Soak it for 2 hours."),
        ("Write a function with unit tests.", "def f(): return 1"),
        ("What is the angle? Do not give the units in your answer.", "42"),
        ("What is the mass? Include the unit.", "42 kg"),
        ("What does it cost? Give the unit.", "$42"),
        ("What is the area? State the unit.", "42 m^2"),
        ("How many legs has a spider?", "8"),
    ],
)
def test_what_is_not_proved_is_no_fault(prompt: str, text: str) -> None:
    """A bare number, both units, another kind of quantity, or a unit nobody asked for."""
    assert said(prompt, text) == "abstain"


def test_two_wishes_are_none() -> None:
    """Where two units are named nobody can say which one is wanted."""
    assert unit_asked("Give the distance in km. How far is it in miles?") is None
    assert unit_asked("What is the temperature in degrees Celsius?") == "Celsius"


def test_it_is_one_of_the_hard_checks_and_quick() -> None:
    """The first fault decides, by its name; a long answer takes no time to speak of."""
    reply = Reply(choices=(Choice(text="It is 190 miles."),), model="m")
    assert examine(ask(FAR), reply) == (0.0, "unit: asked for kilometres, given in miles")
    start = time.perf_counter()
    for _ in range(100):
        said(FAR, "1 mile and on " * 2_000)
    assert time.perf_counter() - start < 1.0
