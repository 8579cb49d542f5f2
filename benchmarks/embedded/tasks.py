"""Generated tasks that check themselves, for measuring the embedded pool.

Each kind has several phrasings, as different people would ask. They were written before the
calculator and are not changed to suit it.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import lexicon

Reading: TypeAlias = Literal["number", "choice", "text", "json", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question with its answer.

    `reading` says how an answer is taken out of a response; `options` are the words of a choice.
    """

    query_id: str
    kind: str
    prompt: str
    gold: str
    reading: Reading
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a generator makes; the rest of a task follows from its kind and number."""

    prompt: str
    gold: str
    reading: Reading
    options: tuple[str, ...] = ()


def generate(*, seed: int, per_kind: int) -> Iterator[Task]:
    """`per_kind` tasks of every kind, the kinds in turn; no prompt comes twice.

    The same seed gives the same tasks.
    """
    kinds = [list(_of_kind(kind, seed=seed, count=per_kind)) for kind in KINDS]
    for round_of_all in zip(*kinds, strict=True):
        yield from round_of_all


def _of_kind(kind: str, *, seed: int, count: int) -> Iterator[Task]:
    rng = random.Random(f"{seed}:{kind}")
    seen: set[str] = set()
    while len(seen) < count:
        asked = KINDS[kind](rng)
        if asked.prompt in seen:
            continue
        seen.add(asked.prompt)
        yield Task(
            query_id=f"{kind}-{seed}-{len(seen):03d}",
            kind=kind,
            prompt=asked.prompt,
            gold=asked.gold,
            reading=asked.reading,
            options=asked.options,
        )


def _sum(rng: random.Random) -> Asked:
    digits = rng.choice((1, 1, 2, 2, 3))
    a, b, c = (rng.randint(10 ** (digits - 1), 10**digits - 1) for _ in range(3))
    prompt, gold = rng.choice(
        (
            (f"What is {a} + {b}?", a + b),
            (f"How much is {a} plus {b}?", a + b),
            (f"Please add {a} to {b} and tell me the result.", a + b),
            (f"{a}+{b}=", a + b),
            (f"Give me the total of {a}, {b} and {c}.", a + b + c),
            (f"What do you get when you take {min(a, b)} away from {max(a, b)}?", abs(a - b)),
            (f"What is {max(a, b)} minus {min(a, b)}?", abs(a - b)),
        )
    )
    return Asked(prompt=prompt, gold=str(gold), reading="number")


def _product(rng: random.Random) -> Asked:
    a, b = rng.randint(2, 12), rng.choice((rng.randint(2, 12), rng.randint(11, 99)))
    prompt, gold = rng.choice(
        (
            (f"What is {a} times {b}?", a * b),
            (f"Multiply {a} by {b}.", a * b),
            (f"Compute {a} x {b}. Reply with the number only.", a * b),
            (f"What is {a * b} divided by {a}?", b),
            (f"How often does {a} go into {a * b}?", b),
            (f"I need the product of {a} and {b}.", a * b),
        )
    )
    return Asked(prompt=prompt, gold=str(gold), reading="number")


def _sentiment(rng: random.Random) -> Asked:
    good = rng.random() < 0.5
    text = (
        " and ".join(rng.sample(lexicon.PRAISE if good else lexicon.BLAME, rng.choice((1, 2))))
        + "."
    )
    prompt = rng.choice(
        (
            f'Is this review positive or negative? "{text}"',
            f"Classify the sentiment as positive or negative.\n\n{text}",
            f"{text}\n\nDid this customer like it? Answer with one word, positive or negative.",
        )
    )
    gold = "positive" if good else "negative"
    return Asked(prompt=prompt, gold=gold, reading="choice", options=("positive", "negative"))


def _capital(rng: random.Random) -> Asked:
    country, city = rng.choice(sorted(lexicon.CAPITALS.items()))
    prompt = rng.choice(
        (
            f"What is the capital of {country}?",
            f"Name the capital city of {country}.",
            f"Which city is the capital of {country}? Just the name.",
        )
    )
    return Asked(prompt=prompt, gold=city, reading="choice", options=(city,))


def _yes_no(rng: random.Random) -> Asked:
    fact, truth = rng.choice(lexicon.FACTS)
    prompt = rng.choice(
        (
            f"Is it true that {fact}? Answer yes or no.",
            f"Yes or no: {fact}?",
            f"My friend claims that {fact}. Is my friend right? Just say yes or no.",
        )
    )
    return Asked(
        prompt=prompt, gold="yes" if truth else "no", reading="choice", options=("yes", "no")
    )


def _json(rng: random.Random) -> Asked:
    name, town, job, age = (
        rng.choice(lexicon.NAMES),
        rng.choice(lexicon.TOWNS),
        rng.choice(lexicon.JOBS),
        rng.randint(19, 70),
    )
    text, wanted = rng.choice(
        (
            (f"{name}, {age}, lives in {town}.", {"name": name, "age": age, "city": town}),
            (f"{name} works as a {job} in {town}.", {"name": name, "job": job, "city": town}),
            (f"A {age} year old {job} called {name}.", {"name": name, "age": age, "job": job}),
        )
    )
    keys = ", ".join(wanted)
    prompt = rng.choice(
        (
            f"Extract {keys} from this text as a JSON object: {text}",
            f"{text}\n\nReturn only JSON with the keys {keys}.",
        )
    )
    return Asked(prompt=prompt, gold=json.dumps(wanted), reading="json")


def _spelling(rng: random.Random) -> Asked:
    word = rng.choice(lexicon.WORDS)
    letter = rng.choice(word)
    prompt, gold, reading = rng.choice(
        (
            (f'How many letters are in the word "{word}"?', str(len(word)), "number"),
            (f"What is the last letter of {word}?", word[-1], "letter"),
            (f"Which letter does the word {word} begin with?", word[0], "letter"),
            (f'Write the word "{word}" backwards.', word[::-1], "text"),
            (
                f"How many times does the letter {letter} occur in {word}?",
                str(word.count(letter)),
                "number",
            ),
        )
    )
    if reading == "letter":
        return Asked(prompt=prompt, gold=gold, reading="choice", options=tuple(sorted(set(word))))
    return Asked(prompt=prompt, gold=gold, reading="number" if reading == "number" else "text")


def _date(rng: random.Random) -> Asked:
    day = dt.date(2020, 1, 1) + dt.timedelta(days=rng.randrange(3000))
    gap = rng.randint(2, 90)
    later = day + dt.timedelta(days=gap)
    spoken = f"{day.day} {day:%B} {day.year}"
    number, weekday, date = (
        (f"How many days are there from {day} to {later}?", str(gap)),
        (f"On which day of the week did {spoken} fall?", f"{day:%A}"),
        (f"Which date comes {gap} days after {day}? Use the form YYYY-MM-DD.", str(later)),
    )
    other = (f"What weekday is {day}?", f"{day:%A}")
    between = (
        f"Count the days between {spoken} and {later.day} {later:%B} {later.year}.",
        str(gap),
    )
    prompt, gold = rng.choice((number, weekday, date, other, between))
    if gold in lexicon.WEEKDAYS:
        return Asked(prompt=prompt, gold=gold, reading="choice", options=lexicon.WEEKDAYS)
    return Asked(prompt=prompt, gold=gold, reading="date" if "-" in gold else "number")


def _compare(rng: random.Random) -> Asked:
    if rng.random() < 0.5:
        low, high = sorted(rng.sample(range(len(lexicon.HEAVY)), 2))
        pair = [lexicon.HEAVY[low], lexicon.HEAVY[high]]
        names = [item.split()[1] for item in pair]
        rng.shuffle(pair)
        return Asked(
            prompt=f"Which is heavier, {pair[0]} or {pair[1]}?",
            gold=names[1],
            reading="choice",
            options=tuple(names),
        )
    numbers = rng.sample(range(10, 1000), 3)
    largest = rng.random() < 0.5
    gold = max(numbers) if largest else min(numbers)
    listed = ", ".join(map(str, numbers[:-1]))
    prompt = f"Which is the {'largest' if largest else 'smallest'} of {listed} and {numbers[-1]}?"
    return Asked(prompt=prompt, gold=str(gold), reading="number")


def _format(rng: random.Random) -> Asked:
    words = rng.sample(lexicon.WORDS, 3)
    prompt, gold = rng.choice(
        (
            (f"Write the word {words[0]} in capital letters.", words[0].upper()),
            (f"Repeat exactly this text and nothing else: {' '.join(words)}", " ".join(words)),
            (f"Join these words with hyphens: {', '.join(words)}", "-".join(words)),
            (f"Sort these words alphabetically: {', '.join(words)}", ", ".join(sorted(words))),
        )
    )
    return Asked(prompt=prompt, gold=gold, reading="text")


def _word_problem(rng: random.Random) -> Asked:
    name = rng.choice(lexicon.NAMES)
    a, b, c = rng.randint(3, 20), rng.randint(2, 9), rng.randint(2, 6)
    prompt, gold = rng.choice(
        (
            (f"{name} has {a + b} apples and eats {b}. How many are left?", a),
            (f"A box holds {a} pens. How many pens are in {b} boxes?", a * b),
            (
                (
                    f"{name} buys {b} loaves at {c} euros each and pays with a 100 euro note. "
                    "How much change does the shop give back?"
                ),
                100 - b * c,
            ),
            (
                (
                    f"A bus starts with {a} passengers. At the first stop {b} get on, at the "
                    f"second {c} more. How many passengers are on the bus now?"
                ),
                a + b + c,
            ),
            (f"{b * c} sweets are shared fairly among {b} children. How many does each get?", c),
            (
                f"{name} reads {b} pages a day. How many pages is that in {c} weeks?",
                b * c * 7,
            ),
        )
    )
    return Asked(prompt=prompt, gold=str(gold), reading="number")


def _category(rng: random.Random) -> Asked:
    group, members = rng.choice(sorted(lexicon.GROUPS.items()))
    others = [word for name, words in lexicon.GROUPS.items() if name != group for word in words]
    options = [rng.choice(members), *rng.sample(others, 2)]
    gold = options[0]
    rng.shuffle(options)
    article = "an" if group[0] in "aeiou" else "a"
    prompt = rng.choice(
        (
            f"Which of these is {article} {group}: {', '.join(options)}?",
            f"Pick the {group} from this list and reply with that word only: {', '.join(options)}",
        )
    )
    return Asked(prompt=prompt, gold=gold, reading="choice", options=tuple(options))


KINDS: dict[str, Callable[[random.Random], Asked]] = {
    "sum": _sum,
    "product": _product,
    "sentiment": _sentiment,
    "capital": _capital,
    "yes_no": _yes_no,
    "json": _json,
    "spelling": _spelling,
    "date": _date,
    "compare": _compare,
    "format": _format,
    "word_problem": _word_problem,
    "category": _category,
}
