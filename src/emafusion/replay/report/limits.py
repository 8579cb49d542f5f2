"""What a replay does not show, in sentences: as prominent as what it shows."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.replay.report.collect import FEWEST_OF_CELL
from emafusion.replay.report.figures import Report
from emafusion.replay.report.pictures.heat import MOST_KINDS, MOST_MODELS, kinds_of
from emafusion.replay.summary import BEST_FITTED, FEWEST_PAIRS


def limits(report: Report) -> Iterator[str]:
    """The lines of the box."""
    yield from _queries(report)
    yield from _money(report)
    yield from _answers(report)
    yield from (_sentence(note) for note in report.head.notes)


def _queries(report: Report) -> Iterator[str]:
    summary = report.summary
    if summary.scored and summary.scored < summary.queries:
        yield f"{summary.queries - summary.scored:,} queries without a score are not in accuracies."
    if summary.scored:
        yield (
            "Intervals are of these queries: they do not hold for other work, another fit, other "
            "prices or models that change."
        )
        yield (
            "Reading the best setting off this curve flatters it a little. Choose one on other "
            "queries, or have a promise tested with `emafusion certify`."
        )
    if report.head.transfer:
        yield (
            "Each data set was left out of the fit that answered it: this is about work of kinds "
            "never seen, not about the artifact that is served."
        )
    else:
        yield (
            "Work of kinds that the artifact never saw may do worse; `--transfer` leaves each data "
            "set out of a fit and replays on it."
        )
    groups = sum(each.over_best is not None for each in summary.groups)
    if groups >= 20:
        yield f"Of {groups} groups, about {groups // 20} lie outside their interval by chance."
    if any(each.queries < FEWEST_PAIRS for each in summary.groups) and summary.scored:
        yield f"Groups of fewer than {FEWEST_PAIRS} queries tell little on their own."


def _money(report: Report) -> Iterator[str]:
    points = report.summary.points
    unknown = [point for point in points if point.cost_usd is None]
    if len(unknown) == len(points):
        yield f"{unpriced(report)}, so nothing is said about money."
    elif unknown:
        yield f"{len(unknown)} of {len(points)} settings have calls of unknown cost, so no cost."
    else:
        yield "Costs are those that were recorded, or of the prices that were given, not today's."
    if all(point.latency_p50_s is None for point in points):
        yield "No latency was recorded."
    else:
        yield "Seconds are recorded ones, one call after another, without waiting for a free place."


def unpriced(report: Report) -> str:
    """Why no setting has a cost."""
    if all(model.cost_usd is None for model in report.models):
        return "No cost is known"
    return "The cost of some calls is not known"


def _answers(report: Report) -> Iterator[str]:
    summary = report.summary
    yield "Every answer was recorded once; asked again, a model may answer otherwise."
    roles = {each.role for each in summary.baselines}
    if summary.scored and BEST_FITTED not in roles:
        yield (
            "The best single model was chosen on these very queries, since the artifact does not "
            "know one: that makes it a little better than anybody could have known."
        )
    if summary.scored and not report.reliability:
        yield "No answer has a confidence, so nothing is said about what it is worth."
    blank = sum(cell.score is None and cell.answers > 0 for cell in report.cells)
    if blank:
        yield f"{blank:,} cells with fewer than {FEWEST_OF_CELL} scored answers are left blank."
    left = max(0, len(report.models) - MOST_MODELS), max(0, len(kinds_of(report)) - MOST_KINDS)
    if any(left):
        yield f"The map leaves out {left[0]:,} models and {left[1]:,} classes; its table has all."


def _sentence(note: str) -> str:
    """A note as a sentence.

    >>> _sentence("no recorded cost: a"), _sentence("All of it.")
    ('No recorded cost: a.', 'All of it.')
    """
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith('.') else '.'}"
