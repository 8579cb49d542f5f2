"""What judges read of a query alone, read before there is an answer: each remembers it."""

from __future__ import annotations

from emafusion.domain.query import Query
from emafusion.judge.asked import form_of
from emafusion.judge.kept import form_asked, length_asked
from emafusion.judge.language import language_asked
from emafusion.judge.units import unit_asked


def read_ahead(query: Query) -> None:
    """Read a query as the free judges and the panel will, so that its answer need not wait."""
    prompt = query.prompt
    form_of(query)
    length_asked(prompt)
    form_asked(prompt)
    language_asked(prompt)
    unit_asked(prompt)
