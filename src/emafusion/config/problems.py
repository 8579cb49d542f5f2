"""What is wrong with a config: each problem with its place, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from emafusion.domain.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right; `line` counts from 1, None where the format does not tell.

    >>> str(Problem(source="emafusion.yaml", line=3, path="gateway.port", what="must be a number"))
    'emafusion.yaml:3: gateway.port: must be a number'
    """

    source: str
    line: int | None
    path: str
    what: str

    @override
    def __str__(self) -> str:
        """One clear line: file, line, path of the key, what and how."""
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.what) if part)


class ConfigError(BadInput):
    """A config that cannot be used; `str(error)` has one line for each problem, in file order."""

    code = "invalid_config"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
