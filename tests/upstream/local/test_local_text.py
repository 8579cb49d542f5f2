"""Text as it grows: the same however it is cut, and never part of a stop string."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from emafusion.upstream.local.text import TextAssembler

letters = st.text(alphabet="ab\n", max_size=60)
cuts = st.lists(st.integers(1, 7), min_size=1, max_size=60)


def by_bytes(ids: Sequence[int]) -> str:
    """Decode ids that are single bytes, as a tokenizer that leaves out what is incomplete."""
    return bytes(ids).decode("utf-8", errors="ignore")


def shown(text: str, sizes: Sequence[int], stop: tuple[str, ...]) -> tuple[str, str, bool]:
    """Push the bytes of a text in portions: what was shown, the tokens' texts, and the end."""
    assembler = TextAssembler(by_bytes, index=0, stop=stop)
    data, pieces, at, turn = text.encode(), [], 0, 0
    while at < len(data) and not assembler.stopped:
        portion = data[at : at + sizes[turn % len(sizes)]]
        pieces.append(assembler.push(list(portion), [-0.1] * len(portion)))
        at, turn = at + len(portion), turn + 1
    pieces.append(assembler.finish())
    tokens = "".join(token.text for piece in pieces for token in piece.tokens)
    return "".join(piece.text for piece in pieces), tokens, assembler.stopped


@given(st.text(max_size=60), cuts)
def test_text_arrives_whole(text: str, sizes: list[int]) -> None:
    """However many tokens come at once, the pieces make up the text; so do the tokens."""
    assert shown(text, sizes, ()) == (text, text, False)


@given(letters, cuts, st.lists(st.text(alphabet="ab\n", min_size=1, max_size=3), max_size=3))
def test_text_ends_before_the_first_stop_string(
    text: str, sizes: list[int], stops: list[str]
) -> None:
    """Nothing of a stop string is shown, and nothing before it is lost."""
    whole, tokens, stopped = shown(text, sizes, tuple(stops))
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    assert stopped == bool(found)
    assert whole == (text if not found else text[: first_complete(text, stops)])
    assert whole.startswith(tokens)


def first_complete(text: str, stops: Sequence[str]) -> int:
    """Where the text is cut: at the earliest stop string among those complete first."""
    for end in range(len(text) + 1):
        found = [at for stop in stops if (at := text.find(stop, 0, end)) >= 0]
        if found:
            return min(found)
    return len(text)


@given(letters, st.integers(1, 3))
def test_what_may_become_a_stop_string_is_held_back(text: str, size: int) -> None:
    """At no moment does the text shown end in the beginning of the stop string."""
    stop = "ab\n"[:size]
    assembler = TextAssembler(by_bytes, index=0, stop=(stop,))
    so_far = ""
    for byte in text.encode():
        so_far += assembler.push([byte], [-0.1]).text
        assert stop not in so_far
        if assembler.stopped:
            break
