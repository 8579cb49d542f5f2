"""Takes the short answer out of a response and compares it with the right one."""

from __future__ import annotations

import json
import re

from tasks import Task


def short_answer(task: Task, response: str) -> str | None:
    """The answer as the task's kind writes it, or None when the response holds none.

    number: the last one of the first line that has one. choice: the option named first. date: the
    first in ISO form. text: the first line without quotes and a final full stop. json: the first
    object, keys sorted.
    """
    readers = {"number": _number, "date": _date, "text": _text, "json": _json}
    if task.reading == "choice":
        return _choice(task.options, response)
    return readers[task.reading](response)


def score(task: Task, response: str) -> float:
    """1 if the short answer is right, else 0; case never matters."""
    answer = short_answer(task, response)
    if answer is None:
        return 0.0
    gold = _json(task.gold) if task.reading == "json" else task.gold
    return float(answer.lower() == (gold or "").lower())


def _number(response: str) -> str | None:
    for line in response.splitlines():
        found = re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?", line)
        if found:
            return re.sub(r"\.0+$", "", found[-1].replace(",", ""))
    return None


def _date(response: str) -> str | None:
    found = re.search(r"\d{4}-\d{2}-\d{2}", response)
    return found[0] if found else None


def _text(response: str) -> str | None:
    line = next((line.strip() for line in response.splitlines() if line.strip()), "")
    return line.strip("\"'`*. ") or None


def _json(response: str) -> str | None:
    start = response.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(response[start:])
    except json.JSONDecodeError:
        return None
    flat = {str(key).lower(): str(item).lower() for key, item in value.items()}
    return json.dumps(flat, sort_keys=True)


def _choice(options: tuple[str, ...], response: str) -> str | None:
    text = response.lower()
    places = {
        option: found.start()
        for option in options
        if (found := re.search(rf"(?<!\w){re.escape(option.lower())}(?!\w)", text))
    }
    return min(places, key=places.__getitem__) if places else None
