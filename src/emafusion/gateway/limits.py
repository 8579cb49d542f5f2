"""How patient the gateway is with its clients, and how much of a head it reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """Seconds and sizes, all > 0.

    `idle_s`: a connection is kept so long without a request, so that it is the client who closes
    it. `head_s`: from the first byte of a request (or the connection) to the end of its head.
    `body_s`: from there to the end of its body. `stall_s`: the longest time in which nothing of a
    body comes, or nothing of an answer is taken. `head_bytes`, `headers`: of one request.
    """

    idle_s: float = 75.0
    head_s: float = 10.0
    body_s: float = 60.0
    stall_s: float = 30.0
    head_bytes: int = 64 * 1024
    headers: int = 256


USUAL = ClientLimits()
