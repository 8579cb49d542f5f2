"""Openings of refusals in several languages: conservative, one pattern a line."""

from __future__ import annotations

import re

_CANNOT = r"(?:can'?t|cannot|can not|am unable|am not able|won'?t)"
_DEED = (
    r"(?:help|assist|provide|answer|comply|do that|fulfil+|create|write|discuss|generate|engage"
    r"|continue|support|share)\b"
)

OPENINGS: tuple[str, ...] = (
    rf"(?:i'?m|i am) (?:very |so |really )?sorry\b[^.!\n]{{0,40}}\b(?:i |but ){_CANNOT}\b",
    rf"sorry\b[^.!\n]{{0,30}}\bi {_CANNOT}\b",
    rf"(?:unfortunately,? )?i {_CANNOT} (?:to )?{_DEED}",
    rf"(?:unfortunately,? )?i'm (?:unable|not able) to {_DEED}",
    rf"as an ai(?: language model| assistant)?,? i (?:{_CANNOT}|do not|don't)\b",
    r"(?:es )?tut mir (?:sehr )?leid,? [^.\n]{0,20}\b(?:kann|darf)\b[^.\n]{0,40}\bnicht\b",
    r"ich kann (?:dir|ihnen|dabei|diese|das)\b[^.\n]{0,40}\bnicht (?:helfen|beantworten)\b",
    r"(?:je suis )?désolée?,? (?:mais )?je ne (?:peux|puis)\b",
    r"je ne (?:peux|suis) pas (?:en mesure|vous aider|répondre|t'aider)\b",
    r"lo siento,? (?:pero )?no puedo\b",
    r"no puedo (?:ayudarte|ayudarle|ayudar con|responder a)\b",
    r"(?:mi dispiace,? (?:ma )?)?non posso (?:aiutarti|aiutarla|rispondere|fornire)\b",
    r"(?:desculpe|sinto muito),? (?:mas )?(?:eu )?não posso\b",
    r"het spijt me,? (?:maar )?ik kan\b[^.\n]{0,40}\bniet\b",
    r"(?:извините|простите|к сожалению),? (?:но )?я не могу\b",
    r"(?:很)?(?:抱歉|对不起)\W?(?:但)?我(?:无法|不能)",
    r"申し訳(?:ありません|ございません)[^。\n]{0,40}(?:できません|お答えできません)",
    r"죄송(?:합니다|하지만)[^.\n]{0,40}(?:없습니다|할 수 없)",
)
"""For a text in lower case with straight apostrophes; each pattern takes bounded time."""

_OPENING = re.compile(r"\W{0,8}(?:" + "|".join(OPENINGS) + ")", re.IGNORECASE)


def opens_with_refusal(text: str) -> bool:
    """Whether a text begins by refusing.

    >>> opens_with_refusal("I'm sorry, but I can't help with that.")
    True
    >>> opens_with_refusal("I'm sorry to hear that. Try restarting it.")
    False
    """
    return _OPENING.match(text[:400].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None
