"""The report as one page that needs no network: words, pictures, and the table behind each."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files

from emafusion.replay.report.colours import dark_rules
from emafusion.replay.report.details import details
from emafusion.replay.report.figures import Report
from emafusion.replay.report.limits import limits
from emafusion.replay.report.numbers import number, percent
from emafusion.replay.report.sections import SECTIONS, WORDS, Section
from emafusion.replay.report.sentences import Tile, tiles, verdict
from emafusion.replay.report.tables import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture as SVG. `narrow`: the same for a telephone, where that is another one."""

    wide: str
    narrow: str | None = None


def page(report: Report, pictures: Mapping[str, Drawn]) -> str:
    """The whole page. Nothing in it but our own script may run, and nothing is fetched."""
    script, style = _ours("page.js"), f"{_ours('page.css')}\n{_dark()}"
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    body = "\n".join(_body(report, pictures))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; img-src data:\">\n"
        f"<title>{escape(_title(report))}</title>\n<style>{style}</style></head>\n"
        f"<body><main>\n{body}\n</main>\n<script>{script}</script></body></html>\n"
    )


def _title(report: Report) -> str:
    return f"Replay of {report.head.table}"


def _body(report: Report, pictures: Mapping[str, Drawn]) -> Iterator[str]:
    yield f"<h1>{escape(_title(report))}</h1>"
    yield f'<p class="facts">{_facts(report)}</p>'
    yield "".join(f'<p class="verdict">{_prose(line)}</p>' for line in verdict(report))
    shown = "".join(_tile(tile) for tile in tiles(report))
    if shown:
        yield f'<ul class="tiles" aria-label="In short">{shown}</ul>'
    every = {name: details(table, name=name) for name, table in tables(report).items()}
    for section in SECTIONS:
        yield from _section(report, section, pictures=pictures, every=every)
    yield from _box(report)
    yield from _words(report)


def _facts(report: Report) -> str:
    head, summary = report.head, report.summary
    parts = (
        f"policy {summary.policy}",
        f"{summary.queries:,} queries, {summary.scored:,} scored",
        f"{summary.models:,} models",
        f"artifact: {head.artifact}{_digits(head.artifact_sha256)}",
        f"data{_digits(head.sha256)}" if head.sha256 else "",
        f"emafusion {head.version}, {head.date}, seed {head.seed}",
    )
    return " · ".join(f"<span>{escape(part)}</span>" for part in parts if part)


def _digits(digest: str | None) -> str:
    return "" if not digest else f" {digest[:12]}"


def _tile(tile: Tile) -> str:
    return (
        f"<li><b>{escape(tile.figure)}</b><span>{escape(tile.label)}</span>"
        f"<small>{_prose(tile.detail)}</small></li>"
    )


def _prose(line: str) -> str:
    """A sentence in which no number parts from its unit."""
    return escape(line).replace(" %", "&nbsp;%")


def _section(
    report: Report, section: Section, *, pictures: Mapping[str, Drawn], every: Mapping[str, str]
) -> Iterator[str]:
    drawn = [name for name in section.pictures if name in pictures]
    behind = [every[name] for name in section.tables if name in every]
    if not drawn and not behind:
        return
    yield f"<section><h2>{escape(section.heading)}</h2>"
    if drawn:
        shown = "".join(_picture(name, pictures[name], section.heading) for name in drawn)
        yield f"<figure>{_choices(section, drawn)}{shown}{_dial(report, section)}"
        yield f"<figcaption>{escape(section.caption)}</figcaption></figure>"
    yield from behind
    yield "</section>"


def _choices(section: Section, drawn: list[str]) -> str:
    """A switch between pictures that needs no script."""
    if not section.choices or len(drawn) < 2:
        return ""
    return '<span class="choice">' + "".join(
        f'<label><input type="radio" name="{drawn[0]}" value="{name}"'
        f"{' checked' if name == drawn[0] else ''}>{escape(text)}</label>"
        for name, text in zip(drawn, section.choices, strict=True)
    ) + "</span>"  # fmt: skip


def _picture(name: str, drawn: Drawn, heading: str) -> str:
    narrow = "" if drawn.narrow is None else f'<div class="narrow">{drawn.narrow}</div>'
    only = "" if drawn.narrow is None else ' class="wide"'
    return (
        f'<div class="picture" id="{name}" role="group" tabindex="0" '
        f'aria-label="{escape(heading)}: arrow keys go from point to point">'
        f"<div{only}>{drawn.wide}</div>{narrow}</div>"
    )


def _dial(report: Report, section: Section) -> str:
    """The dial to be turned; without its script it stays away."""
    last = len(report.summary.points) - 1
    if "curve" not in section.pictures or last < 1:
        return ""
    shown = next(
        (i for i, p in enumerate(report.summary.points) if p.quality_weight == report.shown), last
    )
    return (
        '<div class="dial" hidden><label for="dial">Turn the dial: quality_weight '
        f'<output for="dial"></output></label><input type="range" id="dial" min="0" max="{last}" '
        f'step="1" value="{shown}"><dl aria-live="polite"></dl></div>'
    )


def _box(report: Report) -> Iterator[str]:
    told = "".join(f"<li>{_code(line)}</li>" for line in limits(report))
    yield f'<section class="notes"><h2>What this does not show</h2><ul>{told}</ul></section>'


def _code(line: str) -> str:
    """A sentence in which commands stand between back quotes."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line))


def _words(report: Report) -> Iterator[str]:
    summary = report.summary
    rows = "".join(
        f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in WORDS.items()
    )
    yield f"<details><summary>What the words mean</summary><dl>{rows}</dl></details>"
    if summary.aiq is not None:
        mix = "" if summary.aiq_mix is None else f"; of the random mix {number(summary.aiq_mix, 4)}"
        yield f'<p class="facts">AIQ {number(summary.aiq, 4)}{mix}. '
        yield f"Maps and bins are at quality_weight {report.shown:g}.</p>"
    if summary.scored < summary.queries:
        share = percent(summary.scored / max(summary.queries, 1))
        yield f'<p class="facts">{share} of the queries have a score.</p>'


def _dark() -> str:
    return f"@media screen and (prefers-color-scheme: dark) {{\n{dark_rules()}\n}}"


def _ours(name: str) -> str:
    return (files("emafusion.replay.report") / name).read_text("utf-8")
