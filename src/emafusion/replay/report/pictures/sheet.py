"""All pictures on one sheet, for where a page cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.replay.report.figures import Report
from emafusion.replay.report.numbers import named
from emafusion.replay.report.pictures.values import Spec, Value
from emafusion.replay.report.sentences import tiles, verdict

TITLES = {
    "curve": "Cost and quality, with the 95 % interval",
    "shares": "Who answers as the dial turns",
    "reliability": "Does confidence mean what it says?",
    "datasets": "Where it wins and loses, by data set",
    "tasks": "Where it wins and loses, by class",
    "heat": "Who is good at what: accuracy in per cent, framed where chosen",
}
"""Pictures of the sheet, from top to bottom."""


def sheet(report: Report, specs: Mapping[str, Spec]) -> Spec:
    """The sheet. `specs`: by name; those that are missing are left out."""
    parts: list[Value] = [
        {**specs[name], "title": {"text": title, "offset": 14}}
        for name, title in TITLES.items()
        if name in specs
    ]
    lines = [*verdict(report), *(f"{t.figure} {t.label} ({t.detail})" for t in tiles(report))]
    return {
        "title": {"text": f"Replay of {named(report.head.table, 80)}", "subtitle": lines,
                  "fontSize": 18, "offset": 22, "subtitlePadding": 6},
        "vconcat": parts,
        "spacing": 44,
        "resolve": {"scale": {"color": "independent"}, "legend": {"color": "independent"}},
    }  # fmt: skip
