"""Which answers of the log are asked about."""

from __future__ import annotations

from random import Random

from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.store.feedback.choose import chances, draw
from emafusion.store.filter import Filter
from emafusion.store.read import LogReader
from emafusion.store.record import OutcomeRow, Record


class Told(Struct, frozen=True, kw_only=True):
    """An answer to ask about, as `--json` tells it."""

    decision_id: str
    prompt: str
    answer: str
    model: str | None
    confidence: float | None
    propensity: float


class Choice(Struct, frozen=True, kw_only=True):
    """An answer to ask about. `chance`: with which it was drawn, 0..1."""

    told: Told

    @property
    def decision_id(self) -> str:
        """Whose answer."""
        return self.told.decision_id

    @property
    def chance(self) -> float:
        """The chance with which it was drawn."""
        return self.told.propensity


def choose(
    reader: LogReader, among: Filter, wanted: int, *, evenly: bool, chance: Random
) -> list[Choice]:
    """Draw about so many answers that nobody has labelled yet, newest first.

    `evenly`: all with the same chance. Raises `BadInput` where the log keeps no texts.
    """
    rows = [row for row in reader.rows(among) if not _is_labelled(reader, row)]
    known = [None if evenly else row.confidence for row in rows]
    each = chances(known, wanted)
    chosen = [(rows[i], each[i]) for i in draw(each, chance)]
    return [_choice(reader, row, share) for row, share in chosen]


def _is_labelled(reader: LogReader, row: OutcomeRow) -> bool:
    return any(each.source != "client" for each in reader.opinions(row.decision_id))


def _choice(reader: LogReader, row: OutcomeRow, share: float) -> Choice:
    record = reader.get(row.decision_id)
    prompt, answer = (None, None) if record is None else _texts(record)
    if prompt is None or answer is None:
        what = "keeps no texts, so nobody can say whether an answer is right; set log.prompts: full"
        raise BadInput(what, where=str(reader.path))
    told = Told(
        decision_id=row.decision_id,
        prompt=prompt,
        answer=answer,
        model=row.candidate,
        confidence=row.confidence,
        propensity=share,
    )
    return Choice(told=told)


def _texts(record: Record) -> tuple[str | None, str | None]:
    detail = record.detail
    if detail.answer is not None or detail.answer_attempt is None:
        return detail.prompt, detail.answer
    return detail.prompt, detail.attempts[detail.answer_attempt].response
