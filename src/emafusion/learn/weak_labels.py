"""Classes of benchmark prompts by the name of their data set, mapped by hand, and their headers.

A header that all prompts of a data set share would give the class away, so that a classifier
learns to know the benchmark instead of the task: it is stripped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakLabel:
    """Classes of a data set's prompts; None where it mixes several classes of that axis."""

    task: str
    depth: int
    domain: str | None
    format: str


def _known(task: str, depth: int, domain: str | None, answer: str) -> WeakLabel:  # noqa: PLR0917 - a row of a table
    """Shorthand for the tables below."""
    return WeakLabel(task=task, depth=depth, domain=domain, format=answer)


_SUBJECTS: Mapping[str, tuple[str, int]] = {
    "biology": ("biology", 3),
    "business": ("business", 4),
    "chemistry": ("chemistry", 4),
    "computer science": ("computing", 4),
    "economics": ("economics", 3),
    "engineering": ("engineering", 5),
    "health": ("health", 2),
    "history": ("history", 2),
    "law": ("law", 3),
    "math": ("mathematics", 4),
    "other": ("general", 2),
    "philosophy": ("philosophy", 3),
    "physics": ("physics", 4),
    "psychology": ("psychology", 2),
}
"""Subject -> domain and usual reasoning depth."""

_SETS: Mapping[str, WeakLabel] = {
    "gsm": _known("maths", 3, "mathematics", "short_answer"),
    "crux": _known("code_fix", 4, "computing", "short_answer"),
    "agentverse-logicgrid": _known("logic", 4, "general", "choice"),
    "agentverse-mgsm": _known("maths", 3, "mathematics", "short_answer"),
    "arc_challenge": _known("open_qa", 2, None, "choice"),
    "commongen": _known("write", 2, "general", "prose"),
    "commonsense_qa": _known("open_qa", 2, "general", "choice"),
    "gpqa": _known("open_qa", 5, None, "choice"),
    "gsm8k": _known("maths", 3, "mathematics", "short_answer"),
    "human_eval": _known("code_write", 3, "computing", "code"),
    "math": _known("maths", 5, "mathematics", "short_answer"),
    "mbpp": _known("code_write", 3, "computing", "code"),
    "mmlu": _known("open_qa", 3, None, "choice"),
    "natural_qa": _known("open_qa", 1, "general", "short_answer"),
    "openbook_qa": _known("open_qa", 2, None, "choice"),
    "trivia_qa": _known("open_qa", 1, "general", "short_answer"),
}

_AREAS: Mapping[str, WeakLabel] = {
    "algebra": _known("maths", 4, "mathematics", "short_answer"),
    "arithmetic": _known("maths", 3, "mathematics", "short_answer"),
    "geometry": _known("maths", 4, "mathematics", "short_answer"),
    "algorithmic": _known("logic", 4, "computing", "short_answer"),
    "arc": _known("logic", 5, "general", "short_answer"),
    "cognition": _known("logic", 4, "general", "short_answer"),
    "games": _known("logic", 5, "general", "short_answer"),
    "graphs": _known("logic", 4, "computing", "short_answer"),
    "induction": _known("logic", 4, "general", "short_answer"),
    "code": _known("code_fix", 4, "computing", "short_answer"),
    "logic": _known("logic", 4, "general", "short_answer"),
}
"""Areas of reasoning_gym, the middle part of its data set names."""

_HEADERS = (
    re.compile(r"\A## Question:\s*"),
    re.compile(r"\AYou are given a Python function and an assertion.*?(?=\[PYTHON\])", re.DOTALL),
    re.compile(r"\n+## Instruction\b.*\Z", re.DOTALL),
    re.compile(r"\A(?:Question|Q|Problem):\s*"),
    re.compile(r"\n+Please provide your answer\b.*\Z", re.DOTALL),
)


def label_of(dataset: str) -> WeakLabel | None:
    """Classes of a data set's prompts, by its name; None if it is not in the tables.

    >>> label_of("mmlu_pro/law").domain, label_of("rg/games/countdown").task
    ('law', 'logic')
    >>> label_of("my-own-set") is None
    True
    """
    parts = dataset.split("/")
    if parts[0] == "mmlu_pro" and parts[-1] in _SUBJECTS:
        domain, depth = _SUBJECTS[parts[-1]]
        task = "maths" if domain == "mathematics" else "open_qa"
        return WeakLabel(task=task, depth=depth, domain=domain, format="choice")
    if parts[0] == "rg" and len(parts) > 1:
        return _AREAS.get(parts[1])
    return _SETS.get(parts[-1])


def strip_header(prompt: str) -> str:
    r"""Take away what all prompts of a data set share.

    >>> strip_header("## Question: \n\nWhat is 2 + 2?\n\n## Instruction \n\nAnswer in JSON.")
    'What is 2 + 2?'
    """
    for header in _HEADERS:
        prompt = header.sub("", prompt)
    return prompt.strip()
