"""Hard checks: each proves a fault or the asked shape, or says nothing."""

# ruff: noqa: RUF001 -- texts in many scripts

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Attempt, Choice, FinishReason, Reply
from emafusion.domain.errors import Overloaded
from emafusion.domain.evidence import Case, Evidence
from emafusion.domain.query import Format, Message, Query, Settings, TextPart, Tool, ToolCall, ask
from emafusion.judge.rules import CHECKS, RulesJudge, examine
from emafusion.testing import check_judge

WEATHER = Tool(
    name="weather",
    schema=b'{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},'
    b'"required":["city"],"additionalProperties":false}',
)


def said(text: str = "", *calls: ToolCall, finish: FinishReason = "stop") -> Reply:
    """A reply of one choice."""
    return Reply(choices=(Choice(text=text, tool_calls=calls, finish_reason=finish),), model="m")


def calls(name: str, arguments: str, call_id: str = "c1") -> ToolCall:
    """A tool call."""
    return ToolCall(id=call_id, name=name, arguments=arguments)


def asked(
    text: str,
    *,
    tools: tuple[Tool, ...] = (),
    wanted: Format | None = None,
    settings: Settings | None = None,
) -> Query:
    """A query of one user message."""
    return Query(
        query_id="q",
        messages=(Message(role="user", parts=(TextPart(text=text),)),),
        tools=tools,
        format=wanted or Format(),
        settings=settings or Settings(),
    )


def verdict(query: Query, reply: Reply) -> str:
    """`ok`, `none`, or the name of the check that failed."""
    value, reason = examine(query, reply)
    return {None: "none", 1.0: "ok", 0.0: reason.partition(":")[0]}[value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("  \n\t ", "empty"),
        ("I'm sorry, but I can't help with that request.", "refusal"),
        ("I\N{RIGHT SINGLE QUOTATION MARK}m sorry, but I cannot assist with that.", "refusal"),
        ("As an AI language model, I cannot provide medical advice.", "refusal"),
        ("Es tut mir leid, aber dabei kann ich dir nicht helfen.", "refusal"),
        ("Je suis désolé, mais je ne peux pas répondre à cette question.", "refusal"),
        ("Lo siento, pero no puedo ayudarte con eso.", "refusal"),
        ("抱歉，我无法回答这个问题。", "refusal"),
        ("Извините, я не могу помочь с этим.", "refusal"),
        ("申し訳ありませんが、その質問にはお答えできません。", "refusal"),
        ("I'm sorry to hear that your cat is ill. Give it water and call a vet.", "none"),
        ("I can't believe it is 40 years old! The film came out in 1986.", "none"),
        ("The villain says: I'm sorry, I can't help you.", "none"),
        ("Paris.", "none"),
    ],
)
def test_refusals_are_told_from_answers_that_say_sorry(text: str, expected: str) -> None:
    """Only a short text that opens by refusing is a refusal, in several languages."""
    assert verdict(ask("Tell me something."), said(text)) == expected


def test_a_long_answer_that_opens_with_sorry_is_an_answer() -> None:
    """A refusal is short; a long text after an apology still answers."""
    text = "I'm sorry, but I can't give one number. " + "Here is how to work it out instead. " * 40
    assert verdict(ask("How tall is it?"), said(text[:1500])) != "refusal"


def test_a_marked_refusal_and_a_filter_count_whatever_the_text() -> None:
    """The provider's own marks of a refusal are believed."""
    refused = Reply(choices=(Choice(refusal="I won't."),), model="m")
    assert verdict(ask("x"), refused) == "refusal"
    assert verdict(ask("x"), said("I was", finish="content_filter")) == "refusal"


def test_an_answer_cut_off_is_bad_unless_a_snippet_was_wanted() -> None:
    """Running into the token limit is a fault; a client that asks for 16 tokens gets its 16."""
    assert verdict(ask("Tell a story"), said("Once upon", finish="length")) == "truncated"
    snippet = asked("Tell a story", settings=Settings(max_tokens=16))
    assert verdict(snippet, said("Once upon", finish="length")) == "none"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (said("", calls("weather", '{"city": "Rome"}')), "ok"),
        (said("", calls("weather", '{"city": "Rome", "days": 3}')), "ok"),
        (said("", calls("fly", '{"city": "Rome"}')), "tools"),
        (said("", calls("weather", "{city: Rome}")), "tools"),
        (said("", calls("weather", '["Rome"]')), "tools"),
        (said("", calls("weather", "{}")), "tools"),
        (said("", calls("weather", '{"city": "Rome", "days": "three"}')), "tools"),
        (said("", calls("weather", '{"city": "Rome", "sky": 1}')), "tools"),
        (said("", *[calls("weather", '{"city": "Rome"}', i) for i in "ab"]), "repeated_call"),
        (said("It is sunny."), "none"),
        (said("I'm sorry, but I can't help with that, none of the tools fits."), "none"),
    ],
)
def test_tool_calls_must_exist_and_fit(reply: Reply, expected: str) -> None:
    """A call to a tool that does not exist never passes, however confident the rest looks."""
    assert verdict(asked("Weather in Rome?", tools=(WEATHER,)), reply) == expected


@pytest.mark.parametrize(
    ("wish", "reply", "expected"),
    [
        ("required", said("Sunny."), "tool_choice"),
        ("none", said("", calls("weather", '{"city":"Rome"}')), "tool_choice"),
        ("tool:weather", said("", calls("weather", '{"city":"Rome"}')), "ok"),
        ("tool:other", said("", calls("weather", '{"city":"Rome"}')), "tool_choice"),
        ("auto", said("Sunny."), "none"),
    ],
)
def test_the_callers_wish_for_tools_is_kept(wish: str, reply: Reply, expected: str) -> None:
    """`tool_choice` is a promise of the API."""
    query = asked("Weather in Rome?", tools=(WEATHER,), settings=Settings(tool_choice=wish))
    assert verdict(query, reply) == expected


def test_asking_again_what_was_just_answered_is_a_loop() -> None:
    """An agent that repeats the call whose result it has just got is stuck."""
    call = calls("weather", '{"city": "Rome"}')
    query = Query(
        query_id="q",
        messages=(
            Message(role="user", parts=(TextPart(text="Weather?"),)),
            Message(role="assistant", tool_calls=(call,)),
            Message(role="tool", tool_call_id="c1", parts=(TextPart(text="sunny"),)),
        ),
        tools=(WEATHER,),
    )
    assert verdict(query, said("", calls("weather", '{"city":"Rome"}', "c2"))) == "repeated_call"
    assert verdict(query, said("", calls("weather", '{"city":"Oslo"}', "c2"))) == "ok"


SCHEMA = Format(
    kind="json_schema",
    schema=b'{"type":"object","properties":{"n":{"type":"integer","minimum":0}},"required":["n"]}',
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"n": 3}', "ok"),
        ('{"n": -1}', "json"),
        ('{"n": "3"}', "json"),
        ('{"m": 3}', "json"),
        ('```json\n{"n": 3}\n```', "json"),
        ("three", "json"),
        ('{"n": 3', "json"),
    ],
)
def test_json_fits_its_schema_or_is_bad(text: str, expected: str) -> None:
    """The whole text must be JSON that fits: a client will parse it as it is."""
    assert verdict(asked("How many?", wanted=SCHEMA), said(text)) == expected


@pytest.mark.parametrize(
    "schema",
    [
        b'{"type": "dict"}',
        b"not json",
        b'{"$ref": "https://example.com/schema.json"}',
        b'{"$ref": "file:///etc/passwd"}',
        b'{"$schema": "https://example.com/meta"}',
        b'{"pattern": "(a{1,1000}){1,1000}"}',
    ],
)
def test_a_schema_nobody_can_read_makes_the_check_abstain(schema: bytes) -> None:
    """An invalid or foreign schema proves nothing, and nothing is ever fetched."""
    query = asked("Give JSON", wanted=Format(kind="json_schema", schema=schema))
    assert verdict(query, said('{"n": 3}')) == "none"


def test_a_schema_built_to_explode_is_not_followed() -> None:
    """References that double at every level would take 2^40 steps: abstain at once."""
    levels = ",".join(
        f'"d{i}":{{"allOf":[{{"$ref":"#/$defs/d{i + 1}"}},{{"$ref":"#/$defs/d{i + 1}"}}]}}'
        for i in range(40)
    )
    schema = f'{{"$defs":{{{levels},"d40":{{}}}},"$ref":"#/$defs/d0"}}'.encode()
    query = asked("Give JSON", wanted=Format(kind="json_schema", schema=schema))
    started = time.process_time()
    assert verdict(query, said("{}")) == "none"
    assert time.process_time() - started < 1.0


def test_a_recursive_schema_works() -> None:
    """Trees are ordinary: a schema may refer to itself."""
    schema = b'{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}}}'
    query = asked("Give a tree", wanted=Format(kind="json_schema", schema=schema))
    assert verdict(query, said('{"kids":[{"kids":[]}]}')) == "ok"
    assert verdict(query, said('{"kids":[{"kids":3}]}')) == "json"


PYTHON = "Write a Python function that adds two numbers."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```python\ndef add(a, b):\n    return a + b\n```", "ok"),
        ("```python\ndef add(a, b)\n    return a + b\n```", "code"),
        ("```python\ndef add(a, b):\n    return (a +\n```", "code"),
        ("```python\nimport re\nre.match('\\d', x)\n```", "ok"),
        ("```python\n>>> add(1, 2)\n3\n```", "none"),
        ("```\npip install it\n```", "none"),
        ("Use the plus sign.", "none"),
    ],
)
def test_python_that_was_asked_for_must_parse(text: str, expected: str) -> None:
    """Code is parsed, never run; shell and sessions say nothing."""
    assert verdict(ask(PYTHON), said(text)) == expected


CHOICE = "Which is red?\nA. grass\nB. blood\nC. sky\nD. milk"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is (B).", "ok"),
        ("**B**", "ok"),
        ("It is blood.", "ok"),
        ("It depends on the light.", "choice"),
    ],
)
def test_a_choice_must_choose(text: str, expected: str) -> None:
    """With lettered options, a letter or an option's own words must be readable."""
    assert verdict(ask(CHOICE), said(text)) == expected


def test_a_count_needs_a_number() -> None:
    """Asked how many, an answer without digit or number word misses the point."""
    assert verdict(ask("How many moons has Mars?"), said("It depends on your view.")) == "number"
    assert verdict(ask("How many moons has Mars?"), said("Two, Phobos and Deimos.")) == "none"
    assert verdict(ask("How many moons has Mars?"), said("2")) == "none"


def test_loops_are_found_and_tables_are_not() -> None:
    """A passage of words over and over is a loop; rows of a table or zeros are not."""
    loop = "We start with the sum. " + "Let us check this again and again. " * 30
    assert verdict(ask("Explain sums."), said(loop)) == "loop"
    assert verdict(ask("Explain sums."), said("0 0 0 0\n" * 200)) == "none"
    assert verdict(ask("Explain sums."), said("| a | b |\n| --- | --- |\n" * 60)) == "none"
    assert verdict(ask("Repeat this 30 times."), said(loop)) == "none"


LAKES = "What is the difference between a lake and the sea, and which of them is saltier?"
GERMAN = (
    "Der See ist nicht salzig und das Meer ist es auch. Das ist für die Fische wichtig, "
    "und sie sind mit dem Wasser von den Flüssen nicht zufrieden, wenn es auch kalt wird."
)
RUSSIAN = (
    "Море солёное, а озеро обычно пресное. Это главное различие между ними, и самое простое. "
    "Поэтому морская вода тяжелее."
)


@pytest.mark.parametrize(
    ("prompt", "answer", "expected"),
    [
        (LAKES, RUSSIAN, "language"),
        (LAKES, GERMAN, "language"),
        (LAKES + " Answer in German.", GERMAN, "none"),
        (LAKES, "Das Meer.", "none"),
        (LAKES, "The sea is saltier, and the lake is not, which is what you would taste.", "none"),
        ("湖和海有什么区别？哪一个更咸？请给出理由并且说明原因是什么", "海更咸，因为盐。", "none"),
    ],
)
def test_the_language_is_kept_where_no_doubt_is_left(
    prompt: str, answer: str, expected: str
) -> None:
    """Another language than the prompt's is a fault unless the prompt speaks of languages."""
    assert verdict(ask(prompt), said(answer)) == expected


def case_of(query: Query, attempt: Attempt) -> Case:
    """One attempt, nobody else."""
    return Case(query=query, evidence=Evidence(attempts=(attempt,)), attempt=0, candidates=())


def test_the_judge_holds_the_contract_of_judges() -> None:
    """Pure, in range, names itself; abstains where the call failed."""
    judge = RulesJudge()
    for reply in (said("Paris"), said(""), said("The answer is (B).")):
        check_judge(judge, case_of(ask(CHOICE), Attempt(candidate="m", reply=reply)), _no_calls)
    failed = Attempt(candidate="m", failure=Overloaded("down"))
    check_judge(judge, case_of(ask(CHOICE), failed), _no_calls)


def _no_calls(command: object) -> Attempt:
    msg = f"a rule calls nobody, asked for {command}"
    raise AssertionError(msg)


@given(prompt=st.text(max_size=300), text=st.text(max_size=600))
def test_no_text_breaks_a_check(prompt: str, text: str) -> None:
    """Whatever the texts, every check gives a verdict."""
    examine(ask(prompt), said(text))
    examine(ask(CHOICE), said(text))
    examine(asked(prompt, wanted=SCHEMA), said(text))
    examine(asked(prompt, tools=(WEATHER,)), said("", calls(text[:20], text)))


MONSTERS = {
    "plain": "word " * 200_000,
    "open brackets": "[" * 1_000_000,
    "open objects": '{"a":' * 200_000,
    "fences": "```python\n" * 100_000,
    "escapes": '"answer": "' + "\\" * 1_000_000,
    "boxed": "\\boxed{" * 150_000,
    "spaces": " " * 1_000_000,
    "stars": "*" * 1_000_000,
    "answer is": "answer is " * 100_000,
    "answer tags": "<answer>" * 125_000,
    "digits": "9" * 1_000_000,
    "commas": "1,111" * 200_000,
    "code": "```python\n" + "x = (" * 8_000 + "\n```",
    "minus": "```python\nx = " + "-" * 30_000 + "1\n```",
    "lines": "A.\n" * 300_000,
    "sorry": "sorry " * 170_000,
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_megabyte_takes_no_time(name: str) -> None:
    """Every check is bounded on a megabyte, in the answer and in the prompt."""
    text = MONSTERS[name]
    for query in (ask(PYTHON), ask(CHOICE), ask("How many?"), asked("x", wanted=SCHEMA)):
        started = time.process_time()
        examine(query, said(text))
        examine(ask(text), said(text))
        assert time.process_time() - started < 1.0


def test_every_check_has_its_own_name() -> None:
    """A verdict's first word tells which check failed, and the panel reads it."""
    assert len({name for name, _ in CHECKS}) == len(CHECKS)
