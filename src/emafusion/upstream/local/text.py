"""Token ids to text, piece by piece: never half a character, never part of a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .generation import Piece, Token

# Tokens decoded again with each new one, so that joins and multi-byte characters come out whole.
_WINDOW_TOKENS = 8


class TextAssembler:
    r"""Text of one answer as it grows.

    `decode` maps token ids to text and drops incomplete characters at the end. Text that may be
    the start of a stop string is held back until it is clear whether it is one.

    >>> assembler = TextAssembler(lambda ids: "".join(chr(i) for i in ids), index=0, stop=("\n\n",))
    >>> assembler.push([72, 105, 10], [-0.1, -0.2, -0.3]).text
    'Hi'
    >>> assembler.push([10, 88], [-0.4, -0.5]).text, assembler.stopped
    ('', True)
    """

    def __init__(
        self, decode: Callable[[Sequence[int]], str], *, index: int, stop: tuple[str, ...]
    ) -> None:
        self.stopped = False
        self._decode = decode
        self._index = index
        self._stop = stop
        self._ids: list[int] = []
        self._window_start = 0
        self._settled: str = ""  # text of the tokens before the window
        self._text: str = ""
        self._released = 0  # characters handed out
        self._waiting: list[tuple[int, Token]] = []  # (length of the text with this token, token)

    def push(self, token_ids: Sequence[int], logprobs: Sequence[float]) -> Piece:
        """Add tokens; returns the text that may be shown now (possibly empty)."""
        for token_id, logprob in zip(token_ids, logprobs, strict=True):
            if self.stopped:
                break
            self._add(token_id, logprob)
        return self._release(len(self._text) if self.stopped else self._safe_length())

    def finish(self) -> Piece:
        """What was held back, when no more tokens come."""
        return self._release(len(self._text))

    def _add(self, token_id: int, logprob: float) -> None:
        before = len(self._text)
        self._ids.append(token_id)
        self._text = self._settled + self._decode(self._ids[self._window_start :])
        self._waiting.append((len(self._text), Token(text=self._text[before:], logprob=logprob)))
        self._cut_at_stop()
        self._slide()

    def _slide(self) -> None:
        """Move the window on when it is long and ends in a whole character."""
        if len(self._ids) - self._window_start < 2 * _WINDOW_TOKENS:
            return
        tail = self._ids[-_WINDOW_TOKENS:]
        settled = len(self._text) - len(self._decode(tail))
        if self._text[settled:] == self._decode(tail):
            self._window_start = len(self._ids) - _WINDOW_TOKENS
            self._settled = self._text[:settled]

    def _cut_at_stop(self) -> None:
        found = [
            at for at in (self._text.find(stop, self._released) for stop in self._stop) if at >= 0
        ]
        if found:
            self._text = self._text[: min(found)]
            self.stopped = True

    def _safe_length(self) -> int:
        """Length of the text before anything that may yet become a stop string."""
        held = 0
        for stop in self._stop:
            for size in range(min(len(stop) - 1, len(self._text)), held, -1):
                if self._text.endswith(stop[:size]):
                    held = size
                    break
        return len(self._text) - held

    def _release(self, length: int) -> Piece:
        text = self._text[self._released : length]
        self._released = max(self._released, length)
        ready = tuple(token for end, token in self._waiting if end <= length)
        self._waiting = (
            [] if self.stopped else [(end, token) for end, token in self._waiting if end > length]
        )
        return Piece(index=self._index, text=text, tokens=ready)
