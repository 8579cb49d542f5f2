"""The page: one answer to look at, what can be said of it, and what labels have brought so far.

Plain HTML that works without its script. Whatever comes from the log is text: escaped, and held
by a policy that runs and fetches nothing but the two files beside this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from msgspec import Struct

from emafusion.gateway.labels.desk import Count, Seat
from emafusion.gateway.labels.text import shown
from emafusion.store.feedback.feedback import Source
from emafusion.store.feedback.question import Question

ELSEWHERE = (
    "If nobody is looking there any more, take over. What stays untouched for a quarter of an "
    "hour comes back by itself."
)
SURE = 0.4
"""Distance of a confidence from one half from which on judges are called sure."""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that labels bring: what it is, how it stands, and, where one can count, how far.

    `have`, `need`: labels there are, and labels it takes.
    """

    name: str
    told: str
    have: int = 0
    need: int | None = None


class View(Struct, frozen=True, kw_only=True):
    """What one person sees. `question`: None where nothing is left for them."""

    source: Source
    seat: Seat
    count: Count
    steps: Sequence[Step]
    log: str
    question: Question | None = None


def page(view: View) -> str:
    """The whole page."""
    inner = "".join(_answer(view, view.question) if view.question else _end(view))
    return framed(_title(view), f"{_head(view)}<main>{inner}</main>{_steps(view)}")


def framed(title: str, body: str) -> str:
    """A page around its body."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css">\n'
        f'<script type="module" src="page.js"></script></head>\n<body>{body}</body></html>\n'
    )


def asset(name: str) -> bytes:
    """A file that belongs to the page."""
    return (files("emafusion.gateway.labels") / name).read_bytes()


def _title(view: View) -> str:
    count = view.count
    if view.question is None:
        return "Labels: nothing left" if count.drawn else "Labels: nothing to look at"
    place = min(count.labelled + count.skipped + 1, count.drawn)
    return f"Is it right? {place} of {count.drawn}"


def _head(view: View) -> str:
    count = view.count
    done = count.labelled + count.skipped
    bar = (
        f'<label class="bar"><span>{done} of {count.drawn} looked at</span>'
        f'<progress max="{count.drawn}" value="{done}"></progress></label>'
        if count.drawn
        else ""
    )
    what = "Audit" if view.source == "audit" else "Labels"
    return f"<header><h1>{what}</h1>{bar}</header>"


def _answer(view: View, question: Question) -> Iterator[str]:
    yield f'<p class="told" role="status">{escape(_told(view))}</p>'
    yield _earlier(question)
    yield f'<section aria-labelledby="q"><h2 id="q">Question</h2>{shown(question.prompt)}</section>'
    yield '<section class="answer" aria-labelledby="a"><h2 id="a">Answer</h2>'
    yield f"{shown(question.answer)}</section>"
    yield _form(view, question)
    yield _why(view, question)


def _told(view: View) -> str:
    again = "You are looking at it again: what you say now counts instead."
    return again if view.seat.again else view.seat.told


def _earlier(question: Question) -> str:
    if not question.before:
        return ""
    turns = "".join(
        f"<h3>{escape(turn.role.capitalize())}</h3>{shown(turn.text)}" for turn in question.before
    )
    count = len(question.before)
    told = f"The conversation before it ({count} message{'s' if count > 1 else ''})"
    return f'<details class="before"><summary>{told}</summary>{turns}</details>'


def _form(view: View, question: Question) -> str:
    name = f'<input type="hidden" name="id" value="{escape(question.decision_id)}">'
    back = "" if view.seat.done else " disabled"
    return (
        '<div class="say" role="group" aria-label="What you say of the answer">'
        f'<form method="post">{name}{_button("right", "Right", "r")}'
        f"{_button('wrong', 'Wrong', 'w')}</form>"
        f'<form method="post" class="grade">{name}<label for="grade">Partly</label>'
        '<input id="grade" name="grade" type="number" min="0" max="1" step="any" required '
        'inputmode="decimal" placeholder="0 to 1" data-key="g">'
        '<button name="say" value="grade">Keep</button></form>'
        f'<form method="post" class="aside">{name}{_button("skip", "Skip", "s")}'
        f"{_button('back', 'Back', 'b', more=back)}</form></div>"
        '<p class="soft keys">Keys: r right, w wrong, 1 to 9 for 0.1 to 0.9, s skip, b back. '
        '<label><input type="checkbox" id="keys" checked> Use keys</label></p>'
    )


def _why(view: View, question: Question) -> str:
    by = question.model or "several models together"
    sure = "" if question.confidence is None else f", confidence {question.confidence:.2f}"
    lines = [f"Given by {by} (route {question.route}{sure})."]
    if question.reason:
        lines.append(f"Because: {question.reason}.")
    lines.append(_why_asked(view, question))
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        '<details class="why"><summary>Whose answer it is, and why you are asked</summary>'
        f'<p class="soft">Better read after you have made up your mind.</p>{told}</details>'
    )


def _why_asked(view: View, question: Question) -> str:
    chance = f"It was drawn with a chance of {question.propensity:.0%}"
    if view.source == "audit":
        return f"You are asked for an audit. {chance}, the same as all others."
    if question.confidence is None:
        return f"You are asked because no judge could tell. {chance}."
    if abs(question.confidence - 0.5) > SURE:
        return f"You are asked although the judges were sure, so that they are checked. {chance}."
    return f"You are asked because the judges were in doubt: a label says much here. {chance}."


def _end(view: View) -> Iterator[str]:
    count = view.count
    yield f'<p class="told" role="status">{escape(view.seat.told)}</p><section class="end">'
    if count.elsewhere:
        last = "The last answer is" if count.elsewhere == 1 else "The last answers are"
        yield f"<h2>{last} open in another window</h2><p>{ELSEWHERE}</p>"
        yield _alone("take", "Take over", "t")
    elif count.drawn:
        skipped = f", {count.skipped} skipped" if count.skipped else ""
        yield f"<h2>That is all of this draw</h2><p>{count.labelled} labelled{skipped}. "
        yield f"Every label is in {escape(view.log)} already.</p>{_alone('more', 'Draw more', 'm')}"
    else:
        what = "an audit" if view.source == "audit" else "a label"
        yield f"<h2>Nothing to look at</h2><p>No answer in {escape(view.log)} is without {what}. "
        yield "As soon as there are new ones they can be drawn.</p>"
        yield _alone("more", "Look again", "m")
    if view.seat.done:
        yield _alone("back", "Back to the last one", "b")
    yield "</section>"


def _button(say: str, text: str, key: str, *, more: str = "") -> str:
    return (
        f'<button name="say" value="{say}" class="{say}" data-key="{key}"{more}>'
        f"{text}<kbd>{key}</kbd></button>"
    )


def _alone(say: str, text: str, key: str) -> str:
    return f'<form method="post">{_button(say, text, key)}</form>'


def _steps(view: View) -> str:
    rows = "".join(
        f"<dt>{escape(s.name)}</dt><dd>{_bar(s)}{escape(s.told)}</dd>" for s in view.steps
    )
    return f'<aside aria-labelledby="w"><h2 id="w">What labels bring</h2><dl>{rows}</dl></aside>'


def _bar(step: Step) -> str:
    if not step.need:
        return ""
    have = min(step.have, step.need)
    told = f"{step.have:,} of {step.need:,}"
    return (
        f'<span class="bar"><progress max="{step.need}" value="{have}" '
        f'aria-label="{escape(step.name)}"></progress><span>{told}</span></span>'
    )
