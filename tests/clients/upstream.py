"""A provider for the client libraries: speaks OpenAI's API and follows one script.

It calls the tool that it is offered, or the one that the user spells out (`call NAME {"a": 1}`),
repeats what the tool gave, fills the shape that is asked for, and knows one fact.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import Any

from typing_extensions import override

Json = dict[str, Any]
FACT = "Oslo is the capital of Norway."
CALL = re.compile(r"call (\w+) (\{.*\})")
USAGE: Json = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}


def started() -> tuple[ThreadingHTTPServer, str]:
    """Start it on a free port; its base address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer one request."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = _answer(asked)
        kind = "text/event-stream" if asked.get("stream") else "application/json"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        if asked.get("stream"):
            for chunk in _chunks(said):
                self.wfile.write(f"data: {json.dumps({**_frame(asked), **chunk})}\n\n".encode())
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")
        else:
            reason = "tool_calls" if "tool_calls" in said else "stop"
            message = {"role": "assistant", "content": None, **said}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            whole = {**_frame(asked), "choices": [choice], "usage": USAGE}
            self.wfile.write(json.dumps(whole).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def _frame(asked: Json) -> Json:
    kind = "chat.completion.chunk" if asked.get("stream") else "chat.completion"
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": asked["model"]}


def _answer(asked: Json) -> Json:
    new = list(takewhile(lambda m: m["role"] != "assistant", reversed(asked["messages"])))
    given = [_text(message) for message in new if message["role"] == "tool"]
    if given:
        return {"content": f"It is {given[0].strip(chr(34))}."}
    spelled = CALL.search("\n".join(_text(message) for message in new))
    if spelled:
        return _called(spelled[1], spelled[2], asked)
    if asked.get("tools"):
        choice = asked.get("tool_choice")
        named = choice["function"]["name"] if isinstance(choice, dict) else None
        tools = [tool["function"] for tool in asked["tools"]]
        tool = next(tool for tool in tools if named in (None, tool["name"]))
        arguments = json.dumps(_filled(tool["parameters"], tool["parameters"]))
        return _called(tool["name"], arguments, asked)
    shape = (asked.get("response_format") or {}).get("json_schema")
    return {"content": json.dumps(_filled(shape["schema"], shape["schema"])) if shape else FACT}


def _text(message: Json) -> str:
    said = message["content"]
    return said if isinstance(said, str) else "".join(part.get("text", "") for part in said)


def _called(name: str, arguments: str, asked: Json) -> Json:
    made = f"call_{len(asked['messages'])}"  # no two of a conversation
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"id": made, "type": "function", "function": function}]}


def _chunks(said: Json) -> Iterator[Json]:
    for call in said.get("tool_calls", []):
        text = call["function"]["arguments"]
        begun = {**call, "index": 0, "function": {**call["function"], "arguments": ""}}
        yield _chunk({"role": "assistant", "tool_calls": [begun]})
        for piece in (text[:5], text[5:]):
            yield _chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    for n, word in enumerate((said.get("content") or "").split(" ")):
        if word:
            yield _chunk({"role": "assistant", "content": f" {word}" if n else word})
    yield _chunk({}, "tool_calls" if "tool_calls" in said else "stop")
    yield {"choices": [], "usage": USAGE}


def _chunk(delta: Json, reason: str | None = None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _filled(schema: Json, root: Json) -> object:
    """Something that fits a JSON schema."""
    if "$ref" in schema:
        return _filled(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return _filled(schema["anyOf"][0], root)
    if "properties" in schema:
        return {name: _filled(one, root) for name, one in schema["properties"].items()}
    return {"integer": 3, "number": 3.0, "boolean": True}.get(schema.get("type", ""), "Oslo")
