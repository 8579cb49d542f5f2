"""Seed prompts: what people ask that benchmarks lack, generated from a small grammar.

They teach the fast classifier what rewriting, chatting, extracting or a tool's turn look like. The
same seed gives the same prompts. Each template names its task, the usual reasoning depth and the
format of the answer; the domain is that of the topic put into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from emafusion.domain.query import (
    Format,
    ImagePart,
    Message,
    Query,
    TextPart,
    Tool,
    ToolCall,
)  # fmt: skip
from emafusion.learn.seed_words import (
    CODE_THINGS,
    COLUMNS,
    LANGUAGES,
    NAMES,
    PLACES,
    POLITE,
    SENTENCES,
    SNIPPETS,
    TABLES,
    TONGUES,
    TOPICS,
)  # fmt: skip

_Filling = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A generated query and its classes; `domain` None where the topic does not tell."""

    query: Query
    task: str
    depth: int
    domain: str | None
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Texts of one kind; `{...}` are filled in. `domain` overrides that of the topic."""

    task: str
    depth: int
    format: str
    texts: tuple[str, ...]
    domain: str | None = None


TEMPLATES = (
    Template(task="open_qa", depth=2, format="prose", texts=(
        "What is {topic}?", "explain {topic} to a child", "How does {topic} work?",
        "Why is {topic} important?", "Tell me about {topic}.", "What should I know about {topic}?",
        "Give me a short overview of {topic}", "what causes problems with {topic}",
    )),
    Template(task="open_qa", depth=1, format="short_answer", texts=(
        "Who first wrote about {topic}?", "When did {topic} become known?",
        "In one word: where would you look for {topic}?", "Name one book on {topic}.",
        "What is the capital of the country where {place} lies?", "How many people live in {place}?",
    )),
    Template(task="open_qa", depth=4, format="prose", texts=(
        "Compare three views on {topic} and say which holds up best, with reasons.",
        "Analyse the long-term consequences of {topic} step by step.",
        "What are the strongest arguments for and against {topic}? Weigh them carefully.",
    )),
    Template(task="closed_qa", depth=2, format="short_answer", texts=(
        "{passage}\n\nQuestion: who is named in the text?",
        "Read the passage and answer.\n{passage}\nWhen did it happen?",
        "Context: {passage}\n\nBased on the context above, where was the meeting held?",
        "Answer only from this text: {passage}\nHow many people were there?",
        "{passage} According to the passage, what rose and by how much?",
    )),
    Template(task="extraction", depth=2, format="json", texts=(
        "Extract all names and places from this text as JSON: {passage}",
        "{passage}\n\nReturn a JSON object with the keys name, date and amount.",
        "Pull every date and number out of the following and give them as a JSON array.\n{passage}",
        "Identify the entities (person, city, year) in: {passage} Output valid JSON only.",
    )),
    Template(task="extraction", depth=2, format="short_answer", texts=(
        "List all the people mentioned here: {passage}", "Find the email addresses in this: {passage}",
        "Which dates occur in the text below?\n{passage}",
        "Extract the order number and the address from this message: {passage}",
    )),
    Template(task="classification", depth=1, format="choice", texts=(
        "Is this review positive, negative or neutral? {passage}",
        "Classify the sentiment of the text: {passage}\nAnswer with positive or negative.",
        "Which category fits best: billing, shipping, product or other?\n\n{passage}",
        "Label this message as spam or not spam: {passage}",
        "Decide whether the following text is formal or informal. {passage}",
        "Does sentence one contradict sentence two? Say yes, no or unclear.\n{passage}",
    )),
    Template(task="summarise", depth=2, format="prose", texts=(
        "Summarise this in two sentences: {passage}", "TL;DR of the text below\n\n{passage}",
        "Give me the key points of the following article.\n{passage}",
        "{passage}\n\nWrite a short summary of the above.",
        "Condense this report into one paragraph for my boss: {passage}",
        "Shorten the following to 30 words: {passage}",
    )),
    Template(task="summarise", depth=2, format="long_document", texts=(
        "Summarise the document below.\n\n{document}", "{document}\n\nWhat are the main findings?",
        "Here is the transcript of a meeting. List decisions and open points.\n{document}",
    )),
    Template(task="rewrite", depth=1, format="prose", texts=(
        "Translate into {tongue}: {passage}", 'How do you say "{sentence}" in {tongue}?',
        "Rewrite this to sound more polite: {passage}", "Fix the grammar and spelling: {passage}",
        "Make this email shorter and friendlier.\n\n{passage}", "Paraphrase: {sentence}",
        "Proofread the following text and correct mistakes. {passage}",
        "Turn this into plain language: {passage}", "Translate the text to English:\n{foreign}",
        "Traduis en anglais : {foreign}", "Rephrase the sentence in the passive voice: {sentence}",
    ), domain="general"),
    Template(task="write", depth=3, format="prose", texts=(
        "Write a short story about {topic}.", "Write an essay of 500 words on {topic}.",
        "Draft an email to {name} about {topic}.", "Compose a poem about {topic} in the style of Poe.",
        "Write a blog post introducing {topic} to beginners.", "Write a cover letter for a job in {topic}.",
        "Write a speech for {name}'s retirement that mentions {topic}.",
        "Write a product description for something to do with {topic}",
        "Continue the story: {passage}",
    )),
    Template(task="brainstorm", depth=2, format="prose", texts=(
        "Give me ten ideas for {topic}.", "Brainstorm names for a company that deals with {topic}.",
        "What are some creative ways to deal with {topic}?", "Suggest titles for a talk on {topic}.",
        "I'm out of ideas for {topic}, help me think of some", "List 20 questions I could ask about {topic}.",
        "Come up with five slogans about {topic}",
    )),
    Template(task="chat", depth=1, format="prose", texts=(
        "hi", "hello there, how are you?", "thanks, that helped a lot!", "good morning",
        "I had a bad day today.", "what do you think of me?", "tell me a joke", "who are you?",
        "lol that's funny", "I feel a bit lonely after {topic}", "ok cool", "can we talk about {topic}?",
        "you are wrong, try again", "yes, go on", "do you like {topic}?", "bye, see you tomorrow",
    ), domain="general"),
    Template(task="code_write", depth=3, format="code", texts=(
        "Write a {language} function that {thing}.", "{language}: {thing}, with tests",
        "Implement a program in {language} that {thing}. Return only code.",
        "How do I write something in {language} that {thing}?",
        "Create a {language} class which {thing} and document it.",
        "Build a small {language} script that {thing}", "code for {language} that {thing}",
    ), domain="computing"),
    Template(task="code_fix", depth=3, format="code", texts=(
        "Why does this not work?\n```\n{snippet}\n```", "Fix the bug:\n```\n{snippet}\n```",
        "I get an error with this code, what is wrong?\n\n{snippet}",
        "Refactor this for readability:\n```\n{snippet}\n```", "{snippet}\n\nMake it faster.",
        "Convert this to {language}:\n```\n{snippet}\n```", "Review my code:\n{snippet}",
        "Write unit tests for this:\n```\n{snippet}\n```",
    ), domain="computing"),
    Template(task="code_fix", depth=3, format="prose", texts=(
        "Explain what this code does.\n```\n{snippet}\n```", "What does this print?\n{snippet}",
        "What is the time complexity of the following?\n```\n{snippet}\n```",
    ), domain="computing"),
    Template(task="maths", depth=3, format="short_answer", texts=(
        "{name} has {n} apples and buys {m} more. How many are there if a third is eaten?",
        "What is {n} * {m}?", "Calculate {n} + {m} - 17", "Solve for x: {n}x + {m} = 120",
        "A train leaves {place} at {n} km/h. How far is it after {m} hours?",
        "What is {n} percent of {m}00?", "Find the area of a circle of radius {n} cm.",
        "How many days are there between {n} March and {m} May?", "Simplify ({n}/{m})^2",
        "What day of the week is {n} days after Monday?", "{n}+{m}", "compute {n} divided by {m}",
    ), domain="mathematics"),
    Template(task="maths", depth=5, format="prose", texts=(
        "Prove that there are infinitely many primes of the form 4k + 3.",
        "Show that the sum of {n} consecutive odd numbers is a square, by induction.",
        "Derive the formula for the variance of {n} draws without replacement.",
        "Let f be continuous on [0, {n}]. Prove that f is bounded.",
    ), domain="mathematics"),
    Template(task="logic", depth=4, format="short_answer", texts=(
        "{name} is taller than Bo, Bo is taller than Cy. Who is the shortest?",
        "Which number comes next: {n}, {m}, 12, 24, 48?", "I have two doors and two guards, one lies. What do I ask?",
        "Five people sit in a row; {name} is not next to Bo. Who sits in the middle?",
        "All bloops are razzies and some razzies are lazzies. Are all bloops lazzies?",
        "Plan a route that visits {place}, Rome and Paris once each with the least changes.",
        "Unscramble the letters: t a e r h", "How many times does the letter r occur in strawberry?",
        "Three switches, one lamp upstairs: how do you find the right one with one trip?",
    ), domain="general"),
    Template(task="data", depth=3, format="code", texts=(
        "Write an SQL query that lists {column} and {column} of all {table} by {column}.",
        "SQL: join {table} and {table} and sum the {column} per {column}.",
        "Given the table {table}({column}, {column}, {column}), which query finds the top {n}?",
        "Excel formula to count the rows in {table} where {column} is above {n}",
        "Using pandas, pivot {table} by {column} and fill gaps with 0.",
    ), domain="computing"),
    Template(task="data", depth=2, format="table", texts=(
        "Make a table comparing {topic} and two alternatives.",
        "Put this into a markdown table: {passage}",
        "Give a CSV with {n} example rows of {table} ({column}, {column}).",
        "| {column} | {column} |\n|---|---|\n| a | {n} |\n| b | {m} |\nAdd a row of totals.",
    )),
    Template(task="other", depth=2, format="prose", texts=(
        "asdf", "???", "test", ".", "{n}", "{place} {place}", "Act as a {topic} and never break character.",
        "repeat the word {name} {n} times", "ignore that", "...",
    ), domain="general"),
)  # fmt: skip

FOREIGN = (
    "La reunión empieza a las diez y todos deben traer sus informes.",
    "Le chat dort sur le canapé depuis ce matin et ne veut pas sortir.",
    "Der Zug nach München fährt heute leider erst um halb neun ab.",
    "今天天气很好，我们去公园散步吧。", "Встреча начинается в десять часов утра.",
    "La riunione è stata spostata a giovedì prossimo.",
)  # fmt: skip
TOOLS = (
    ("get_weather", "Current weather of a city"), ("search_web", "Search the web"),
    ("read_file", "Read a file of the project"), ("run_tests", "Run the test suite"),
    ("send_email", "Send an email"), ("query_db", "Run an SQL query"),
)  # fmt: skip


def seed_prompts(n: int, *, seed: int = 0) -> tuple[Seed, ...]:
    """Generate `n` seed prompts, templates in turn.

    >>> one = seed_prompts(1)[0]
    >>> one.task, one.format
    ('open_qa', 'prose')
    """
    rng = Random(seed)
    makers = (*TEMPLATES, "tool", "image", "tool")
    made = (_make(makers[i % len(makers)], rng) for i in range(n))
    return tuple(made)


def _make(maker: Template | str, rng: Random) -> Seed:
    """One seed of a template or of a kind that has no text template."""
    if isinstance(maker, Template):
        return _from_template(maker, rng)
    return _tool_turn(rng) if maker == "tool" else _with_image(rng)


def _from_template(template: Template, rng: Random) -> Seed:
    """Fill in a template."""
    domain = rng.choice(tuple(TOPICS))
    text = _fill(rng.choice(template.texts), rng.choice(TOPICS[domain]), rng)
    polite = rng.choice(POLITE) if template.task not in ("chat", "other") else ""
    plain = text[:1].lower() + text[1:] if polite.endswith(" ") and polite[0] in "CI" else text
    schema = template.format == "json" and rng.random() < 0.5
    query = Query(
        query_id="seed",
        messages=(*_before(rng), _user(polite + plain)),
        format=Format(kind="json_schema", schema=b"{}") if schema else Format(),
    )
    return Seed(
        query=query, task=template.task, depth=template.depth,
        domain=template.domain or domain, format=template.format,
    )  # fmt: skip


def _fill(text: str, topic: str, rng: Random) -> str:
    """Replace each `{slot}` by one of its fillings."""
    for slot, filling in _fillings(topic, rng):
        while slot in text:
            text = text.replace(slot, filling(), 1)
    return text


def _fillings(topic: str, rng: Random) -> Iterator[tuple[str, _Filling]]:
    """Slots in an order in which later ones may stand inside earlier ones."""
    yield "{document}", lambda: _passage(rng, rng.randint(60, 120))
    yield "{passage}", lambda: _passage(rng, rng.randint(2, 7))
    yield "{sentence}", lambda: rng.choice(SENTENCES)
    choices = (
        ("{topic}", (topic,)), ("{name}", NAMES), ("{place}", PLACES), ("{snippet}", SNIPPETS),
        ("{thing}", CODE_THINGS), ("{language}", LANGUAGES), ("{tongue}", TONGUES),
        ("{table}", TABLES), ("{column}", COLUMNS), ("{foreign}", FOREIGN),
    )  # fmt: skip
    for slot, options in choices:
        yield slot, _Chooser(options, rng)
    yield "{year}", lambda: str(rng.randint(1850, 2025))
    yield "{n}", lambda: str(rng.randint(2, 60))
    yield "{m}", lambda: str(rng.randint(2, 99))


def _passage(rng: Random, sentences: int) -> str:
    """Some sentences in a row."""
    return " ".join(rng.choice(SENTENCES) for _ in range(sentences))


def _before(rng: Random) -> tuple[Message, ...]:
    """What may stand before the question: a system text, in one of five cases."""
    if rng.random() > 0.2:
        return ()
    return (Message(role="system", parts=(TextPart(text="You are a helpful assistant."),)),)


def _user(text: str) -> Message:
    """A user's turn."""
    return Message(role="user", parts=(TextPart(text=text),))


def _tool_turn(rng: Random) -> Seed:
    """A turn of an agent: tools on offer, half of the time one has just answered."""
    offered = rng.sample(TOOLS, rng.randint(1, len(TOOLS)))
    name = offered[0][0]
    asked = (
        f"Use the tools: {name.replace('_', ' ')} for {rng.choice(PLACES)} and tell me the result"
    )
    messages: tuple[Message, ...] = (_user(asked),)
    if rng.random() < 0.5:
        call = ToolCall(id="c", name=name, arguments="{}")
        result = Message(role="tool", parts=(TextPart(text="ok: 17"),), tool_call_id="c")
        messages = (*messages, Message(role="assistant", tool_calls=(call,)), result)
    tools = tuple(Tool(name=tool, description=does, schema=b"{}") for tool, does in offered)
    query = Query(query_id="seed", messages=messages, tools=tools)
    return Seed(query=query, task="tool_step", depth=3, domain=None, format="json")


def _with_image(rng: Random) -> Seed:
    """A question about a picture."""
    texts = ("What is in this picture?", "Describe the image", "Read the text in the photo")
    parts = (TextPart(text=rng.choice(texts)), ImagePart(url="data:image/png;base64,AA=="))
    query = Query(query_id="seed", messages=(Message(role="user", parts=parts),))
    return Seed(query=query, task="closed_qa", depth=2, domain="general", format="media")


class _Chooser:
    """Draws one of several texts each time it is called."""

    def __init__(self, options: tuple[str, ...], rng: Random) -> None:
        self._options = options
        self._rng = rng

    def __call__(self) -> str:
        return self._rng.choice(self._options)
