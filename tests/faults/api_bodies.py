"""Every API's own body, right, and with values in its fields that cannot be meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.bodies import raw

_SAID = "What is the capital of Norway?"
_TURN = {"role": "user", "content": _SAID}
_NO_NAME: tuple[object, ...] = (None, 7, True, [], {}, "", "nobody-knows-it", "../x", "x" * 9999)
_NO_TURNS: tuple[object, ...] = (
    None, 7, {}, [None], ["x"], [[]], [{}], [{"role": "user"}], [{"content": "x"}],
    [{"role": "wizard", "content": "x"}], [{"role": "user", "content": 7}],
    [{"role": "user", "content": [{}]}], [{"role": "user", "content": [{"type": "text"}]}],
)  # fmt: skip
_NO_TOOLS: tuple[object, ...] = (7, "x", {}, [7], [{}])
_NO_FLAG: tuple[object, ...] = ("yes", 1, [], {})
_NO_COUNT: tuple[object, ...] = ("x", -1, 1.5, [], True, 1e300, 10**30)
_NO_SHARE: tuple[object, ...] = ("x", -0.1, 1.1, [], {}, True)
_NO_WARMTH: tuple[object, ...] = ("hot", -1, 3, [], {}, True)


@dataclass(frozen=True, kw_only=True)
class Api:
    """A path, a body that is right there, and what cannot be in its fields."""

    path: str
    right: dict[str, object]
    wrong: dict[str, tuple[object, ...]] = field(default_factory=dict)
    shape: str = "openai"

    def malformed(self) -> Iterator[tuple[str, bytes]]:
        """Every body that is wrong, with its name."""
        yield from raw(json.dumps(self.right)).items()
        for name in self.right:
            rest = {key: value for key, value in self.right.items() if key != name}
            yield f"no {name}", json.dumps(rest).encode()
        for name, values in self.wrong.items():
            for value in values:
                body = json.dumps({**self.right, name: value}).encode()
                yield f"{name}={json.dumps(value)[:60]}", body


_ANTHROPIC = {"model": _NO_NAME, "messages": (*_NO_TURNS, []), "tools": (*_NO_TOOLS, [{"name": 1}])}
_GEMINI: dict[str, tuple[object, ...]] = {
    "contents": (
        None, 7, "x", {}, [], [7], [{}], [{"parts": 7}], [{"parts": []}], [{"parts": [7]}],
        [{"parts": [{}]}], [{"parts": [{"text": 7}]}], [{"parts": [{"inlineData": 7}]}],
        [{"role": "wizard", "parts": [{"text": "x"}]}],
    ),
}  # fmt: skip
_GEMINI_ALL: dict[str, tuple[object, ...]] = {
    **_GEMINI,
    "generationConfig": (
        7, "x", [], {"temperature": "hot"}, {"temperature": -1}, {"maxOutputTokens": -1},
        {"candidateCount": 0}, {"topP": 2}, {"stopSequences": 7},
    ),
    "tools": (7, "x", [7], [{"functionDeclarations": 7}], [{"functionDeclarations": [{}]}]),
    "systemInstruction": (7, [], {"parts": 7}),
    "toolConfig": (7, "x"),
}  # fmt: skip
_CONTENTS: dict[str, object] = {"contents": [{"role": "user", "parts": [{"text": _SAID}]}]}

APIS = (
    Api(
        path="/v1/messages",
        right={"model": "good", "max_tokens": 9, "messages": [_TURN]},
        wrong={
            **_ANTHROPIC,
            "max_tokens": _NO_COUNT,
            "stream": _NO_FLAG,
            "temperature": _NO_WARMTH,
            "top_p": _NO_SHARE,
            "top_k": ("x", 1.5, []),
            "system": (7, {}, [7], [{"type": "image"}]),
            "stop_sequences": (7, "x", [7]),
            "thinking": (7, "x", [], {"type": "enabled"}),
            "metadata": (7, "x", [7]),
        },
        shape="anthropic",
    ),
    Api(
        path="/v1/messages/count_tokens",
        right={"model": "good", "messages": [_TURN]},
        wrong={**_ANTHROPIC, "tools": _NO_TOOLS},
        shape="anthropic",
    ),
    Api(
        path="/v1/responses",
        right={"model": "good", "input": _SAID},
        wrong={
            "model": _NO_NAME,
            "input": (None, *_NO_TURNS, [], [{"type": "magic"}]),
            "stream": _NO_FLAG,
            "temperature": _NO_WARMTH,
            "top_p": _NO_SHARE,
            "max_output_tokens": (*_NO_COUNT, 0),
            "instructions": (7, [7], {}),
            "tools": _NO_TOOLS,
            "previous_response_id": (7, [], "resp_nobody"),
            "store": ("x", 1),
            "metadata": (7, "x"),
            "text": (7, "x", {"format": 7}, {"format": {"type": "magic"}}),
            "reasoning": (7, "x", {"effort": 7}),
            "include": (7, "x", ["magic"]),
            "truncation": (7, "magic"),
        },
    ),
    Api(
        path="/v1/completions",
        right={"model": "good", "prompt": _SAID},
        wrong={
            "model": _NO_NAME,
            "prompt": (None, 7, {}, True, [], [{}]),
            "max_tokens": _NO_COUNT,
            "temperature": _NO_WARMTH,
            "n": (0, -1, 1.5, "2", [], 10**9),
            "stream": _NO_FLAG,
            "stop": (7, {}, [7], [[]]),
            "echo": ("x", 1),
            "suffix": (7, []),
            "logprobs": ("x", -1, 99),
            "best_of": (-1, "x"),
        },
    ),
    Api(
        path="/v1/embeddings",
        right={"model": "small", "input": _SAID},
        wrong={
            "model": _NO_NAME,
            "input": (None, 7, {}, True, [], [{}], "", [""], [[]], [1.5], [None], ["a", 1]),
            "encoding_format": (7, "magic", []),
            "dimensions": (0, -1, "x", 1.5),
            "user": (7, []),
        },
    ),
    Api(
        path="/v1beta/models/good:generateContent",
        right=_CONTENTS,
        wrong=_GEMINI_ALL,
        shape="gemini",
    ),
    Api(
        path="/v1beta/models/good:streamGenerateContent?alt=sse",
        right=_CONTENTS,
        wrong=_GEMINI_ALL,
        shape="gemini",
    ),
    Api(
        path="/v1beta/models/good:countTokens",
        right=_CONTENTS,
        wrong=_GEMINI,
        shape="gemini",
    ),
    Api(
        path="/v1/route",
        right={"messages": [_TURN]},
        wrong={
            "messages": (*_NO_TURNS, []),
            "temperature": _NO_WARMTH,
            "n": (0, -1, 1.5, "2"),
            "tools": _NO_TOOLS,
            "emafusion": (7, "x", [], {"quality_weight": 2}, {"models": ["nobody"]}, {"x": 1}),
        },
    ),
    Api(
        path="/v1/feedback",
        right={"decision_id": "em-nobody", "verdict": "right", "comment": "Norway"},
        wrong={
            "decision_id": (None, 7, "", [], "x" * 9999),
            "verdict": (7, "maybe", [], {}),
            "score": ("x", -1, 2, [], True),
            "comment": (7, [], {}),
            "magic": (7,),
        },
    ),
    Api(
        path="/v1/batches",
        right={
            "input_file_id": "file-Norway",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        },
        wrong={
            "input_file_id": (None, 7, "", [], "../x"),
            "endpoint": (None, 7, "", "/v1/magic", "http://127.0.0.1/"),
            "completion_window": (None, 7, "1h"),
            "metadata": (7, "x", {"a": 7}),
        },
    ),
)


def is_error(api: Api, status: int, body: object) -> bool:
    """Whether a body is an error as clients of this API read it."""
    if not isinstance(body, dict):
        return False
    told = body.get("error")
    if not isinstance(told, dict) or not isinstance(told.get("message"), str):
        return False
    if api.shape == "anthropic":
        return body.get("type") == "error" and isinstance(told.get("type"), str)
    if api.shape == "gemini":
        return told.get("code") == status and isinstance(told.get("status"), str)
    return {"type", "code", "param"} <= told.keys()
