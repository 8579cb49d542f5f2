"""Tables of a page: folded away, numbers to the right, one press to copy."""

from __future__ import annotations

from html import escape

from emafusion.replay.report.tables import Table


def details(table: Table, *, name: str, is_open: bool = False) -> str:
    """A table that folds away. `name`: of its element."""
    heads = "".join(
        f'<th scope="col"{_side(place, table.words)}>{escape(text).replace(" %", "&nbsp;%")}</th>'
        for place, text in enumerate(table.columns)
    )
    rows = "".join(_row(row, table.words) for row in table.rows)
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(table.title)} "
        f'<span class="soft">{_size(table)}</span></summary>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f'<table id="table-{name}"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></details>"
    )


def _row(row: tuple[str, ...], words: int) -> str:
    cells = (f"<td{_side(place, words)}>{escape(text)}</td>" for place, text in enumerate(row))
    return f"<tr>{''.join(cells)}</tr>"


def _side(place: int, words: int) -> str:
    return " class=t" if place < words else ""


def _size(table: Table) -> str:
    return f"{len(table.rows):,} row{'' if len(table.rows) == 1 else 's'}"
