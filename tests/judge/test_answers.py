"""Short answers and groups: equal answers are found equal, whatever their dress."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.errors import Overloaded
from emafusion.domain.query import Format, Message, Query, TextPart, Tool, ToolCall, ask
from emafusion.judge.answers import short_answer
from emafusion.judge.asked import form_of
from emafusion.judge.grouping import group, groups_of

CHOICE = "Which is red?\nA. grass\nB. blood\nC. sky\nD. milk"


def said(text: str = "", *calls: ToolCall) -> Reply:
    """A reply of one choice."""
    return Reply(choices=(Choice(text=text, tool_calls=calls),), model="m")


def by(name: str, text: str) -> Attempt:
    """An attempt that answered."""
    return Attempt(candidate=name, reply=said(text))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("The answer is (B).", "choice:B"),
        ("Let us see. Grass is green, so not A. **Answer: B**", "choice:B"),
        ("B", "choice:B"),
        ("B. blood", "choice:B"),
        ("\\boxed{\\text{B}}", "choice:B"),
        ("The answer is a thing of beauty.", None),
        ("Clearly it is blood", "choice:B"),
        ("The answer is (A). No, wait. The answer is (B).", "choice:B"),
        ("answer: Z", None),
    ],
)
def test_a_letter_is_read_from_what_models_write(text: str, key: str | None) -> None:
    """The letter counts, or the option's own words; the last word of one kind wins."""
    assert short_answer(ask(CHOICE), said(text)) == key


@pytest.mark.parametrize(
    "text",
    [
        "16",
        "16.0",
        "So it takes **16 hours**.\n\nAnswer: $16$",
        "<answer>16</answer>",
        "\\boxed{16}",
        '```json\n{"reasoning": "8 * 2 = 16", "answer": "16 hours"}\n```\nDone.',
        "8 * 2 = 16\n#### 16",
        "The final answer is: 16 hours.",
        "First 8, twice.\nSo the car needs 16",
    ],
)
def test_one_number_in_many_dresses_is_one_answer(text: str) -> None:
    """Tags, boxes, JSON fields, units and Markdown are dress."""
    assert short_answer(ask("How many hours does it take?"), said(text)) == "number:16"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Answer: $30,000.00", "Answer: 30000"),
        ("Answer: \\frac{1}{2}", "Answer: 0.5"),
        ("Answer: The Calvin cycle.", "Answer: calvin  cycle"),
        ("Answer: ['a', \"B\"]", "Answer: ['a','B']"),
        ("Answer: 50 %", "Answer: 50%"),
        ("Answer: -0", "Answer: 0"),
        ('{"answer": ""}', 'So nothing is left.\n{"reasoning": "none",\n"answer": ""}'),
    ],
)
def test_spelling_does_not_part_equal_answers(a: str, b: str) -> None:
    """Two spellings of one answer have one key."""
    assert short_answer(ask("What?"), said(a)) == short_answer(ask("What?"), said(b)) is not None


def test_prose_and_code_have_no_short_answer() -> None:
    """Where there is no short answer, none is made up."""
    prose = "The sea is a large body of water. " * 5
    assert short_answer(ask("Describe the sea."), said(prose)) is None
    assert short_answer(ask("Write a Python function."), said("def f(): pass")) is None


def test_tool_calls_are_equal_whatever_order_ids_and_spaces() -> None:
    """Two sets of calls that do the same are one answer; no call is an answer of its own."""
    query = Query(
        query_id="q",
        messages=(Message(role="user", parts=(TextPart(text="Weather?"),)),),
        tools=(Tool(name="w"), Tool(name="v")),
    )
    one, two = (
        ToolCall(id="1", name="w", arguments='{"a": 1, "b": 2}'),
        ToolCall(id="2", name="v", arguments=""),
    )
    other = ToolCall(id="9", name="w", arguments='{"b":2,"a":1}')
    same = [said("", one, two), said("thinking", two, other)]
    assert len({short_answer(query, reply) for reply in same}) == 1
    assert short_answer(query, said("It is sunny.")) == "tools:none"


def test_json_answers_are_equal_without_their_reasons() -> None:
    """Key order, 2.0 for 2 and the reasoning field do not matter."""
    query = Query(query_id="q", messages=ask("x").messages, format=Format(kind="json_object"))
    a = short_answer(query, said('{"reasoning": "long", "n": 2, "c": " Rome"}'))
    b = short_answer(query, said('{"c": "rome", "n": 2.0}'))
    assert a == b is not None


def test_an_assert_to_complete_is_no_request_for_code() -> None:
    """The form is read from what is asked, not from the words code and function alone."""
    prompt = "Given this Python code, complete the assert statement with the output of the code."
    assert form_of(ask(prompt)) == "text"
    assert form_of(ask("Write a function that sorts.")) == "code"


def test_a_failed_attempt_is_in_no_group() -> None:
    """Groups are numbered by first appearance; a failure is -1; prose stands alone."""
    attempts = (
        by("a", "The answer is (B)."),
        Attempt(candidate="b", failure=Overloaded("down")),
        by("c", "C"),
        by("d", "blood"),
        by("e", "no idea at all"),
    )
    assert group(ask(CHOICE), attempts) == (0, -1, 1, 0, -2)


def test_rounded_numbers_are_equal_and_rough_ones_are_not() -> None:
    """0.333 is 1/3 rounded; 0.3 could be anything; 16 is not 16.4."""
    keys = ["number:0.333", "number:0.333333333333", "number:0.3", "number:16", "number:16.4"]
    assert groups_of(keys) == (0, 0, 1, 2, 3)


KEYS = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(["text:paris", "choice:A", "number:0.33", "number:0.333", "number:16"]),
        st.floats(-1e6, 1e6).map(lambda x: f"number:{x:.4g}"),
    ),
    max_size=8,
)


@given(keys=KEYS, data=st.data())
def test_groups_do_not_depend_on_order(keys: list[str | None], data: st.DataObject) -> None:
    """Whoever answers first, the same attempts share a group."""
    order = data.draw(st.permutations(range(len(keys))))
    first = groups_of(keys)
    turned = groups_of([keys[i] for i in order])
    for x, i in enumerate(order):
        for y, j in enumerate(order):
            assert (first[i] == first[j]) == (turned[x] == turned[y])


@given(prompt=st.text(max_size=200), text=st.text(max_size=400))
def test_reading_an_answer_never_breaks(prompt: str, text: str) -> None:
    """Whatever a model writes, there is a key or none."""
    for query in (ask(prompt), ask(CHOICE), ask("How many?")):
        key = short_answer(query, said(text))
        assert key is None or len(key) < 3_000


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 150_000,
        '"answer": "' * 100_000,
        "answer is " * 100_000,
        "9," * 500_000,
        "(" * 1_000_000,
        "\\text{" * 160_000,
    ],
)
def test_a_megabyte_is_read_at_once(text: str) -> None:
    """Only the end of a long text is searched, in linear time."""
    started = time.process_time()
    for query in (ask("What?"), ask(CHOICE), ask("How many?")):
        short_answer(query, said(text))
    assert time.process_time() - started < 0.5
