"""The columns of outcome and judge tables: their kinds, their ranges, and which are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["text", "number", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: text, a number or a whole number.

    `least`, `most`: range of the numbers, None for none. `flags`: true and false count as 1 and 0.
    """

    name: str
    kind: Kind = "text"
    least: float | None = None
    most: float | None = None
    flags: bool = False

    @property
    def right(self) -> str:
        """What a value must be, in words.

        >>> Column(name="cost_usd", kind="number", least=0).right
        'a number, 0 or more'
        """
        what = {"text": "text", "number": "a number", "count": "a whole number"}[self.kind]
        if self.least is not None and self.most is not None:
            return f"{what} from {self.least:g} to {self.most:g}"
        if self.least is not None:
            return f"{what}, {self.least:g} or more"
        return what if self.most is None else f"{what}, {self.most:g} or less"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A kind of table.

    `needed`: columns without which it is none, no cell of them empty. `key`: what tells rows apart;
    the last of them numbers repetitions, and may be absent. `asks`: whether each row must say what
    was asked, by a prompt or messages.
    """

    name: str
    columns: tuple[Column, ...]
    needed: tuple[str, ...]
    key: tuple[str, ...]
    asks: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(column.name for column in self.columns)

    def schema(self) -> dict[str, pl.DataType]:
        """Type of each column: String, Float64 or Int64."""
        import polars as pl

        kinds = {"text": pl.String(), "number": pl.Float64(), "count": pl.Int64()}
        return {column.name: kinds[column.kind] for column in self.columns}


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name) for name in names)


OUTCOMES: Final = Shape(
    name="outcome table",
    columns=(
        *_texts("query_id", "prompt", "messages", "dataset", "model", "response", "answer"),
        Column(name="score", kind="number", least=0, most=1, flags=True),
        *_texts("gold"),
        Column(name="prompt_tokens", kind="count", least=0),
        Column(name="completion_tokens", kind="count", least=0),
        Column(name="cost_usd", kind="number", least=0),
        Column(name="latency_s", kind="number", least=0),
        Column(name="mean_logprob", kind="number", most=0),
        Column(name="cpu_s", kind="number", least=0),
        Column(name="sample", kind="count", least=0),
    ),
    needed=("query_id", "model"),
    key=("query_id", "model", "sample"),
    asks=True,
)
"""One row for each query, model and sample."""

JUDGES: Final = Shape(
    name="judge table",
    columns=(
        *_texts("query_id", "model", "judge"),
        Column(name="repeat", kind="count", least=0),
        Column(name="judge_score", kind="number", flags=True),
        Column(name="cost_usd", kind="number", least=0),
    ),
    needed=("query_id", "model", "judge"),
    key=("query_id", "model", "judge", "repeat"),
)
"""One row for each graded answer, judge and repeat."""
