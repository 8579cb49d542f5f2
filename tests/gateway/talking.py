"""Talking to a gateway by hand, and looking into its log."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.gateway.starting import Gateway

Body = dict[str, Any]
QUESTION = [{"role": "user", "content": "What is the capital of Norway?"}]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came back, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Body:
        """The body, which must be a JSON object."""
        body = json.loads(self.raw)
        assert isinstance(body, dict)
        return body

    @property
    def error(self) -> Body:
        """The error in the body, which must be in OpenAI's shape."""
        error = self.body["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        assert isinstance(error, dict)
        return error


def connection(gateway: Gateway) -> http.client.HTTPConnection:
    """A new connection."""
    return http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=20)


def send(
    gateway: Gateway,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Said:
    """Make one request and read the whole reply."""
    talk = connection(gateway)
    try:
        talk.request(method, path, body, dict(headers or {}))
        reply = talk.getresponse()
        known = {name.lower(): value for name, value in reply.getheaders()}
        return Said(status=reply.status, headers=known, raw=reply.read())
    finally:
        talk.close()


def chat(gateway: Gateway, headers: Mapping[str, str] | None = None, /, **fields: object) -> Said:
    """Ask for a chat completion; the usual question to `auto` where the fields say nothing else."""
    body = {"model": "auto", "messages": QUESTION, **fields}
    return send(gateway, "POST", "/v1/chat/completions", json.dumps(body).encode(), headers)


def rows(gateway: Gateway, sql: str = "select status from outcomes order by rowid") -> list[Any]:
    """Rows of the log; of one column the values alone."""
    with sqlite3.connect(gateway.log) as db:
        found = db.execute(sql).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until it is so."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")
