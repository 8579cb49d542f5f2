"""The report as one page that needs no network: text, pictures, and the table behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files

import msgspec

from emafusion.replay.report.charts import Spec
from emafusion.replay.report.figures import Report
from emafusion.replay.report.sentences import sentences
from emafusion.replay.report.tables import Table, tables

PICTURES = {
    "curve": ("Cost and quality", ("dial", "baselines", "budgets")),
    "reliability": ("Does confidence mean what it says?", ("reliability",)),
    "heat": ("Who is good at what", ("cells",)),
}
"""Picture -> its heading, and the tables behind it."""

CAPTIONS = {
    "curve": "Along the line the dial turns from cheapest to best; the band is the 95 % interval. "
    "Grey dots are single models, diamonds what it is compared with.",
    "reliability": "On the dashed line, answers given with that confidence were right that often. "
    "Larger dots hold more answers.",
    "heat": "Brighter is better; a white ring shows how often the model was chosen there.",
}  # fmt: skip


def page(report: Report, specs: Mapping[str, Spec], script: str) -> str:
    """The whole page. `script`: JavaScript that defines `vegaEmbed`."""
    head = report.head
    title = escape(f"Replay of {head.table}")
    body = "\n".join(_body(report, specs))
    style = (files(__package__) / "page.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data:\">\n"
        f"<title>{title}</title>\n<style>{style}</style></head>\n<body><main>\n{body}\n</main>\n"
        f"{_scripts(specs, script)}</body></html>\n"
    )


def _body(report: Report, specs: Mapping[str, Spec]) -> Iterator[str]:
    head, every = report.head, tables(report)
    yield f"<h1>Replay of {escape(head.table)}</h1>"
    yield (
        f'<p class="facts">policy {escape(report.summary.policy)} · '
        f"{report.summary.queries:,} queries · {report.summary.models:,} models · artifact: "
        f"{escape(head.artifact)} · {escape(head.date)} · version {escape(head.version)} · "
        f"seed {head.seed}</p>"
    )
    told = "".join(f"<li>{escape(line)}</li>" for line in sentences(report))
    yield f'<section class="answer" aria-label="In short"><ul>{told}</ul></section>'
    for name, (_, behind) in PICTURES.items():
        yield from _picture(name, [every[t] for t in behind if t in every], is_drawn=name in specs)
    rest = [table for name, table in every.items() if name in {"models", "groups"}]
    if rest:
        yield "<section><h2>Models, data sets and classes</h2>"
        yield from (_details(table) for table in rest)
        yield "</section>"
    if head.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in head.notes)
        yield f'<section class="notes"><h2>What this does not show</h2><ul>{notes}</ul></section>'


def _picture(name: str, behind: list[Table], *, is_drawn: bool) -> Iterator[str]:
    heading, _ = PICTURES[name]
    if not is_drawn and not behind:
        return
    yield f"<section><h2>{escape(heading)}</h2>"
    if is_drawn:
        yield (
            f'<figure><div id="{name}" class="picture" role="img" '
            f'aria-label="{escape(heading)}"></div>'
            f"<figcaption>{escape(CAPTIONS[name])}</figcaption></figure>"
        )
    yield from (_details(table, is_open=not is_drawn) for table in behind)
    yield "</section>"


def _details(table: Table, *, is_open: bool = False) -> str:
    """A table that folds away."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "".join(_row(row, table.words) for row in table.rows)
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(table.title)}</summary>"
        f'<div class="scroll" tabindex="0"><table class="w{table.words}"><thead><tr>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _row(row: tuple[str, ...], words: int) -> str:
    cells = (
        f"<td{' class=t' if place < words else ''}>{escape(text)}</td>"
        for place, text in enumerate(row)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _scripts(specs: Mapping[str, Spec], script: str) -> str:
    """The pictures' values as JSON that no text can break out of, and what draws them."""
    values = msgspec.json.encode(specs).decode().replace("<", "\\u003c")
    draw = (files(__package__) / "page.js").read_text("utf-8")
    return (
        f'<script id="specs" type="application/json">{values}</script>\n'
        f'<script type="module">{script}\n{draw}</script>\n'
    )
