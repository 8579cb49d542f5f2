"""The taxonomy: four axes and the names of their classes, in the order of every label array.

>>> [len(axis.classes) for axis in AXES]
[16, 5, 14, 8]
"""

from __future__ import annotations

from dataclasses import dataclass

TASKS = (
    "open_qa",  # a question answered from knowledge
    "closed_qa",  # a question about a text that is given
    "extraction",  # pull named things out of a text
    "classification",  # choose a class for a text: sentiment, topic, spam
    "summarise",
    "rewrite",  # rewrite, translate, correct
    "write",  # a new text of some length
    "brainstorm",
    "chat",
    "code_write",
    "code_fix",  # debug, explain, review or predict existing code
    "maths",
    "logic",  # puzzles, planning, games, patterns
    "data",  # SQL, spreadsheets, tables
    "tool_step",  # a turn in a loop of tool calls
    "other",
)
DEPTHS = ("depth_1", "depth_2", "depth_3", "depth_4", "depth_5")
DOMAINS = (
    "biology",
    "business",
    "chemistry",
    "computing",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "mathematics",
    "general",
    "philosophy",
    "physics",
    "psychology",
)
FORMATS = (
    "prose",
    "code",
    "json",
    "table",
    "short_answer",
    "choice",
    "long_document",
    "media",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis: its name (a field of `Labels`) and its classes, in the order of the label array."""

    name: str
    classes: tuple[str, ...]


AXES = (
    Axis(name="task", classes=TASKS),
    Axis(name="depth", classes=DEPTHS),
    Axis(name="domain", classes=DOMAINS),
    Axis(name="format", classes=FORMATS),
)
