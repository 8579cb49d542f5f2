"""How long each phase of a call may take, and how many connections may be open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds for each phase of one HTTP exchange, all > 0.

    `queue_s`: wait for a free connection. `connect_s`: addresses, TCP, proxy and TLS. `write_s`:
    until the request has left. `first_byte_s`: from then to the head of the response.
    `between_bytes_s`: the longest silence within the body. `total_s`: the exchange as a whole,
    which also ends a stream that drips forever.
    """

    queue_s: float = 30.0
    connect_s: float = 5.0
    write_s: float = 60.0
    first_byte_s: float = 60.0
    between_bytes_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a pool, for each server on its own, and of one response.

    `max_connections` >= 1; `max_idle` >= 0 connections are kept for the next call, each for
    `idle_s` seconds. `max_head_bytes`, `max_body_bytes`: of a response, the body as decoded.
    """

    max_connections: int = 1000
    max_idle: int = 100
    idle_s: float = 30.0
    max_head_bytes: int = 65_536
    max_body_bytes: int = 64 * 1024 * 1024
