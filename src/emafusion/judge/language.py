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
_MIN_PROMPT_WORDS, _MIN_ANSWER_WORDS = 4, 10
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
_WORD = re.compile(r"[^\W\d_]+")
_VOTES = {
    word: [lang for lang, words in _STOPWORDS.items() if word in words.split()]
    for words in _STOPWORDS.values()
    for word in words.split()
}


def language_kept(query: Query, reply: Reply) -> Verdict:
    """Bad: prompt and answer are clearly in different scripts or languages and no cue asks for it.

    Abstains on short texts, on code, and wherever the prompt speaks of a language or translation.
    """
    prompt, answer = query.prompt, reply.choices[0].text[-_CHARS:]
    if _CUES.search(prompt[:4_000]) or _CUES.search(prompt[-4_000:]) or "```" in answer:
        return ABSTAIN
    wanted, got = _script(prompt[-_CHARS:], _MIN_PROMPT), _script(answer, _MIN_ANSWER)
    if wanted and got and wanted != got:
        mixed = {wanted, got} <= {"HAN", "KANA"}  # Japanese may be nearly all Han
        return ABSTAIN if mixed else bad(f"asked in {wanted} script, answered in {got}")
    if wanted != "LATIN" or got != "LATIN":
        return ABSTAIN
    asked, spoken = _latin(prompt[-_CHARS:], _MIN_PROMPT_WORDS), _latin(answer, _MIN_ANSWER_WORDS)
    if not asked or not spoken or asked == spoken:
        return ABSTAIN
    return bad(f"asked in {asked!r}, answered in {spoken!r}")


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
    """The language whose commonest words make up nearly all of those seen; empty if unclear."""
    votes: Counter[str] = Counter()
    for word in _WORD.findall(text.casefold()):
        known = _VOTES.get(word, ())
        if len(known) == 1:
            votes[known[0]] += 1
    if votes.total() < minimum:
        return ""
    name, count = votes.most_common(1)[0]
    return name if count >= _SHARE * votes.total() else ""
