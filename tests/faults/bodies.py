"""Bodies that cannot be answered: broken JSON, wrong types, values out of range."""

from __future__ import annotations

import json
from collections.abc import Iterator

GOOD: dict[str, object] = {
    "model": "good",
    "messages": [{"role": "user", "content": "What is the capital of Norway?"}],
}
_TEXT = json.dumps(GOOD)
_TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}

CHAT_ALONE: dict[str, bytes] = {
    "number-of-no-end": (_TEXT[:-1] + ', "seed": ' + "9" * 5000 + "}").encode(),
    "exponent-too-large": (_TEXT[:-1] + ', "temperature": 1e999}').encode(),
    "deep-content": _TEXT.encode().replace(
        b'"What is the capital of Norway?"', b"[" * 50_000 + b"]" * 50_000
    ),
    "model-twice": (_TEXT[:-1] + ', "model": "other"}').encode(),
    "messages-twice": (_TEXT[:-1] + ', "messages": []}').encode(),
    "model-twice-escaped": (_TEXT[:-1] + ', "m\\u006fdel": "other"}').encode(),
}  # fmt: skip

FIELDS: dict[str, object] = {
    "model-null": {"model": None},
    "model-empty": {"model": ""},
    "model-number": {"model": 7},
    "model-list": {"model": ["good"]},
    "model-object": {"model": {"name": "good"}},
    "model-unknown": {"model": "nobody-knows-it"},
    "model-blank": {"model": "   "},
    "model-nul": {"model": "go\x00od"},
    "model-path": {"model": "../../etc/passwd"},
    "model-url": {"model": "http://127.0.0.1:1/v1"},
    "model-long": {"model": "a" * 100_000},
    "messages-null": {"messages": None},
    "messages-empty": {"messages": []},
    "messages-text": {"messages": "hello"},
    "messages-object": {"messages": {"role": "user", "content": "x"}},
    "messages-of-texts": {"messages": ["hello"]},
    "messages-of-null": {"messages": [None]},
    "messages-nested": {"messages": [[{"role": "user", "content": "x"}]]},
    "role-missing": {"messages": [{"content": "x"}]},
    "role-null": {"messages": [{"role": None, "content": "x"}]},
    "role-unknown": {"messages": [{"role": "wizard", "content": "x"}]},
    "role-number": {"messages": [{"role": 1, "content": "x"}]},
    "role-case": {"messages": [{"role": "User", "content": "x"}]},
    "content-missing": {"messages": [{"role": "user"}]},
    "content-null": {"messages": [{"role": "user", "content": None}]},
    "content-number": {"messages": [{"role": "user", "content": 7}]},
    "content-object": {"messages": [{"role": "user", "content": {"text": "x"}}]},
    "content-of-texts": {"messages": [{"role": "user", "content": ["x"]}]},
    "part-without-type": {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
    "part-without-text": {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    "part-text-number": {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
    "image-without-url": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
    "image-from-file": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}],
            }
        ]
    },
    "tool-answer-without-id": {"messages": [{"role": "tool", "content": "x"}]},
    "tool-call-without-function": {
        "messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]}]
    },
    "tool-call-arguments-object": {
        "messages": [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": {}}}
                ],
            }
        ]
    },
    "temperature-text": {"temperature": "hot"},
    "temperature-negative": {"temperature": -1},
    "temperature-high": {"temperature": 2.5},
    "temperature-list": {"temperature": [1]},
    "temperature-true": {"temperature": True},
    "top-p-high": {"top_p": 1.5},
    "top-p-negative": {"top_p": -0.1},
    "n-zero": {"n": 0},
    "n-negative": {"n": -3},
    "n-huge": {"n": 10**9},
    "n-fraction": {"n": 1.5},
    "n-text": {"n": "2"},
    "max-tokens-negative": {"max_tokens": -1},
    "max-tokens-huge": {"max_tokens": 10**30},
    "max-tokens-text": {"max_tokens": "all"},
    "max-tokens-fraction": {"max_tokens": 1.5},
    "max-completion-tokens-negative": {"max_completion_tokens": -5},
    "stream-text": {"stream": "yes"},
    "stream-number": {"stream": 1},
    "stream-options-text": {"stream": True, "stream_options": "usage"},
    "stop-number": {"stop": 7},
    "stop-five": {"stop": ["a", "b", "c", "d", "e"]},
    "stop-of-numbers": {"stop": [1]},
    "seed-text": {"seed": "x"},
    "seed-huge": {"seed": 2**70},
    "presence-penalty-high": {"presence_penalty": 9},
    "frequency-penalty-text": {"frequency_penalty": "x"},
    "logit-bias-list": {"logit_bias": []},
    "logit-bias-high": {"logit_bias": {"1": 900}},
    "logprobs-number": {"logprobs": 5},
    "top-logprobs-high": {"logprobs": True, "top_logprobs": 99},
    "tools-object": {"tools": {}},
    "tools-empty": {"tools": []},
    "tools-of-texts": {"tools": ["f"]},
    "tool-without-function": {"tools": [{"type": "function"}]},
    "tool-of-no-kind": {"tools": [{"type": "magic"}]},
    "tool-name-empty": {"tools": [{"type": "function", "function": {"name": ""}}]},
    "tool-name-blank": {"tools": [{"type": "function", "function": {"name": "a b"}}]},
    "tool-name-long": {"tools": [{"type": "function", "function": {"name": "a" * 65}}]},
    "tool-parameters-text": {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]
    },
    "tool-choice-unknown": {"tools": [_TOOL], "tool_choice": "perhaps"},
    "tool-choice-number": {"tools": [_TOOL], "tool_choice": 1},
    "tool-choice-not-there": {
        "tools": [_TOOL],
        "tool_choice": {"type": "function", "function": {"name": "g"}},
    },
    "tool-choice-without-tools": {"tool_choice": "required"},
    "format-text": {"response_format": "json"},
    "format-unknown": {"response_format": {"type": "xml"}},
    "format-without-schema": {"response_format": {"type": "json_schema"}},
    "format-schema-text": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": "x"}}
    },
    "user-number": {"user": 7},
    "metadata-text": {"metadata": "x"},
    "metadata-of-numbers": {"metadata": {"a": 1}},
    "metadata-large": {"metadata": {str(k): "x" for k in range(17)}},
    "effort-unknown": {"reasoning_effort": "enormous"},
    "modalities-unknown": {"modalities": ["smell"]},
    "service-tier-unknown": {"service_tier": "platinum"},
    "functions-empty": {"functions": []},
    "own-options-text": {"emafusion": "eco"},
    "own-option-unknown": {"emafusion": {"qualty_weight": 0.5}},
    "own-weight-high": {"emafusion": {"quality_weight": 7}},
    "own-latency-negative": {"emafusion": {"max_latency_s": -1}},
    "own-models-unknown": {"model": "auto", "emafusion": {"models": ["nobody"]}},
    "own-models-empty-name": {"model": "auto", "emafusion": {"models": [""]}},
}


def raw(text: str) -> dict[str, bytes]:
    """What is no body of any API, made from one that is right and has the word `Norway` in it."""
    whole = text.encode()
    return {
        "empty": b"",
        "blanks": b" \r\n\t ",
        "not-json": b"hello",
        "cut-off": text[:-1].encode(),
        "cut-off-in-text": text[:40].encode(),
        "two-bodies": (text + text).encode(),
        "rest-behind": (text + "x").encode(),
        "comma-behind": (text[:-1] + ",}").encode(),
        "comment": (text[:-1] + "/* ? */}").encode(),
        "single-quotes": text.replace('"', "'").encode(),
        "byte-order-mark": b"\xef\xbb\xbf" + whole,
        "utf-16": text.encode("utf-16"),
        "utf-32": text.encode("utf-32"),
        "latin-1": text.replace("Norway", "Norv\xe8ge").encode("latin-1"),
        "overlong-utf8": whole.replace(b"Norway", b"\xc0\xaf"),
        "surrogate-as-utf8": whole.replace(b"Norway", b"\xed\xa0\x80"),
        "nul-byte": whole.replace(b"Norway", b"a\x00b"),
        "control-byte": whole.replace(b"Norway", b"a\x01b"),
        "line-break-in-text": whole.replace(b"Norway", b"a\nb"),
        "lone-surrogate": whole.replace(b"Norway", b"\\ud800"),
        "lone-low-surrogate": whole.replace(b"Norway", b"\\udc00x"),
        "bad-escape": whole.replace(b"Norway", b"\\x41"),
        "half-escape": whole.replace(b"Norway", b"\\u12"),
        "nan": (text[:-1] + ', "temperature": NaN}').encode(),
        "infinity": (text[:-1] + ', "temperature": Infinity}').encode(),
        "leading-zero": (text[:-1] + ', "seed": 007}').encode(),
        "plus-sign": (text[:-1] + ', "seed": +7}').encode(),
        "hex-number": (text[:-1] + ', "seed": 0x7}').encode(),
        "null": b"null",
        "true": b"true",
        "number": b"1",
        "text": b'"hello"',
        "array": b"[]",
        "array-of-it": f"[{text}]".encode(),
        "empty-object": b"{}",
        "deep-arrays": b"[" * 100_000,
        "deep-objects": b'{"a":' * 100_000,
        "deep-unknown-field": (
            text[:-1] + ', "zeta": ' + "[" * 50_000 + "]" * 50_000 + "}"
        ).encode(),
        "form": b"model=good&messages=hello",
        "multipart": b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\ngood\r\n--x--',
        "xml": b"<request><model>good</model></request>",
        "yaml": b"model: good\nmessages: []\n",
        "sse": b"data: " + whole + b"\n\n",
        "jsonl": (text + "\n" + text + "\n").encode(),
    }  # fmt: skip


def malformed() -> Iterator[tuple[str, bytes]]:
    """Every malformed chat completion with its name."""
    yield from raw(_TEXT).items()
    yield from CHAT_ALONE.items()
    for name, fields in FIELDS.items():
        assert isinstance(fields, dict)
        yield name, json.dumps({**GOOD, **fields}).encode()
    for name in GOOD:
        rest = {key: value for key, value in GOOD.items() if key != name}
        yield f"no-{name}", json.dumps(rest).encode()
