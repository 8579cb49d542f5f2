"""A request with tests of its own: every answer is held until they have been run on it."""

from __future__ import annotations

from dataclasses import replace as with_fields

from msgspec.structs import replace

from emafusion.domain.errors import BadInput
from emafusion.flow.parts import Parts, Task


def with_tests(task: Task, parts: Parts, tests: str | None) -> tuple[Task, Parts]:
    """The same task with a judge that runs the tests; unchanged where there are none.

    Raises `BadInput` where this gateway runs no tests.
    """
    if tests is None:
        return task, parts
    return replace(task, query=with_fields(task.query, stream=False)), parts.tested_by(tests)


def refuse_tests(tests: str | None, model: str) -> None:
    """Refuse tests where a model was named: its answer is given as it comes, whatever they say."""
    if tests is not None:
        told = f"'{model}' was named, so its answer is given as it comes; ask for auto instead"
        raise BadInput(told, where="emafusion.tests")
