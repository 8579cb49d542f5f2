"""Hard check: the answer is in the language of the prompt, where both leave no doubt."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query
from emafusion.judge.verdict import ABSTAIN, Verdict, bad

_CHARS = 800
_SHARE = 0.9
_MIN_PROMPT, _MIN_ANSWER = 30, 80
_MIN_PROMPT_WORDS, _MIN_ANSWER_WORDS, _MIN_DISTINCT = 5, 10, 4
_CUES = re.compile(
    r"translat|übersetz|tradu[izcç]|перевед|перевод|翻译|翻譯|翻訳|번역|ترجم"
    r"|language|sprache|langue|idioma|lingua|язык|语言"
    r"|english|englisch|anglais|ingl[eé]s|английск|英语|英文|英語|영어"
    r"|german|deutsch|french|français|französisch|spanish|spanisch|español|italian|portugu"
    r"|dutch|russian|русск"
    r"|chinese|mandarin|中文|汉语|japanese|日本語|korean|한국어|arabic|hindi|latin|greek|turkish|polish|hebrew",
    re.IGNORECASE,
)
_STOPWORDS = {
    "en": (
        "the and is of to in that it for with was are this you be have not from they which "
        "would what how"
    ),
    "de": (
        "der die das und ist nicht ein eine zu den von mit sich auf für dem wird sind ich "
        "auch wie wenn oder was"
    ),
    "fr": (
        "le la les et est des une du que pour dans qui pas sur plus avec ce sont vous nous "
        "je cette comment quel"
    ),
    "es": (
        "el los las y es que una por con para del se su como más pero son está este hay "
        "cuál qué puede desde"
    ),
    "it": (
        "il che di è per una con non del sono gli della più come anche questo nel alla si "
        "ma quale dei perché"
    ),
    "pt": (
        "o que de é uma para com não do da os em um mais como por dos são você isso qual ao "
        "foi também"
    ),
    "nl": (
        "de het een en van is dat niet op zijn te met voor die er ook maar wat hoe naar bij "
        "als deze wordt"
    ),
}
_VOTES = {
    word: language
    for language, words in _STOPWORDS.items()
    for word in words.split()
    if len(word) > 1 and sum(word in others.split() for others in _STOPWORDS.values()) == 1
}
"""Common words of one of these languages alone."""


def language_kept(query: Query, reply: Reply) -> Verdict:
    """Bad: prompt and answer are clearly in different scripts or languages and no cue asks for it.

    Abstains on short texts, on code, and wherever the prompt speaks of a language or translation.
    """
    prompt, answer = query.prompt, reply.choices[0].text[-_CHARS:]
    wanted = language_asked(prompt)
    got = _tongue(answer, _MIN_ANSWER, _MIN_ANSWER_WORDS) if wanted else ""
    if not got or _may_be_one(wanted, got) or "```" in answer:
        return ABSTAIN
    if _CUES.search(prompt[:4_000]) or _CUES.search(prompt[-4_000:]):
        return ABSTAIN
    return bad(f"asked in {wanted}, answered in {got}")


def language_asked(prompt: str) -> str:
    """Script and language of the end of a prompt; empty where there is doubt."""
    return _tongue(prompt[-_CHARS:], _MIN_PROMPT, _MIN_PROMPT_WORDS)


def _may_be_one(a: str, b: str) -> bool:
    """Whether two readings may be of one language: Japanese may be nearly all Han."""
    unsure = "LATIN" in {a, b} and a[:5] == b[:5]
    return a == b or unsure or {a, b} <= {"HAN", "KANA"}


@lru_cache(maxsize=256)
def _tongue(text: str, letters: int, words: int) -> str:
    """Script of a text and, for Latin, its language after a colon; empty where there is doubt."""
    script = _script(text, letters)
    if script != "LATIN":
        return script
    language = _latin(text, words)
    return f"LATIN:{language}" if language else "LATIN"


def _script(text: str, minimum: int) -> str:
    """The script of nine letters in ten; empty where letters are few or mixed."""
    if text.isascii():
        return "LATIN" if len(text) >= minimum else ""
    scripts = Counter(_script_of(c) for c in text if c.isalpha())
    if scripts.total() < minimum:
        return ""
    name, count = scripts.most_common(1)[0]
    return name if count >= _SHARE * scripts.total() else ""


@lru_cache(maxsize=4_096)
def _script_of(char: str) -> str:
    name = unicodedata.name(char, "").split(" ")[0]
    return {"CJK": "HAN", "HIRAGANA": "KANA", "KATAKANA": "KANA"}.get(name, name)


def _latin(text: str, minimum: int) -> str:
    """The language whose commonest words make up nearly all of those seen; empty if unclear.

    Four different words at least: a word that is common in one language may be a term in another.
    """
    seen = [word for word in text.casefold().split() if word in _VOTES]
    if len(seen) < minimum or len(set(seen)) < _MIN_DISTINCT:
        return ""
    language, count = Counter(_VOTES[word] for word in seen).most_common(1)[0]
    return language if count >= _SHARE * len(seen) else ""
