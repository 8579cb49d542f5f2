"""What writing one answer from several needs: who asks for it, and who compares."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.ports import Comparer, Writer
from emafusion.domain.query import Query

MARGIN = 0.1
"""How far above even a merge must be preferred, in each order, to be kept. Stated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fusing:
    """`writer` asks for one answer of several; `comparer` says whether it is the better one."""

    writer: Writer
    comparer: Comparer
    margin: float = MARGIN

    @staticmethod
    def fits(query: Query) -> bool:
        """Whether one text may be written from several: one answer of prose, no tools or forms."""
        plain = query.format.kind == "text" and query.settings.n == 1 and not query.has_images
        return plain and not query.tools and not query.answers_tool_call
