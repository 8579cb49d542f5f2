"""What the admin API does, a function for each: keys, their usage, the spend of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Response
from emafusion.gateway.key_desk import KeyDesk, Made
from emafusion.gateway.key_form import read_form
from emafusion.gateway.key_shown import Amounts, shown
from emafusion.wire import faults

Work = Callable[[KeyDesk, str, bytes], Awaitable[Response]]
"""Desk, the key that the path names, body -> response."""


class _Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """`grace_s`: seconds that the old secret holds."""

    grace_s: Annotated[float, Meta(ge=0, le=30 * 86_400)] = 0.0


class _KeySpend(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    today: Amounts
    month: Amounts


class _Spend(Struct, frozen=True, kw_only=True):
    today: Amounts
    month: Amounts
    keys: tuple[_KeySpend, ...]


async def list_keys(desk: KeyDesk, _name: str, body: bytes) -> Response:
    """List every key, revoked ones too."""
    _refuse_body(body)
    now_s = desk.clock()
    return _told({"keys": [shown(key, now_s) for key in await desk.store.list_all()]})


async def make_key(desk: KeyDesk, _name: str, body: bytes) -> Response:
    """Make a key; the response is the only place where it ever is."""
    return _told(_with_secret(desk, await desk.make(read_form(body))), status=201)


async def show_key(desk: KeyDesk, name: str, body: bytes) -> Response:
    """Tell one key, and what it took."""
    _refuse_body(body)
    key = await desk.named(name)
    return _told(shown(key, desk.clock(), await desk.usage(key)))


async def edit_key(desk: KeyDesk, name: str, body: bytes) -> Response:
    """Change the fields that the body names; null takes a limit away."""
    return _told(shown(await desk.edit(name, body), desk.clock()))


async def revoke_key(desk: KeyDesk, name: str, body: bytes) -> Response:
    """End a key for ever."""
    _refuse_body(body)
    return _told(shown(await desk.revoke(name), desk.clock()))


async def rotate_key(desk: KeyDesk, name: str, body: bytes) -> Response:
    """Give a key another secret."""
    asked = faults.decode(body, _Rotation) if body.strip() else _Rotation()
    return _told(_with_secret(desk, await desk.rotate(name, grace_s=asked.grace_s)))


async def tell_usage(desk: KeyDesk, name: str, body: bytes) -> Response:
    """Tell what a key took."""
    _refuse_body(body)
    return _told(await desk.usage(await desk.named(name)))


async def tell_spend(desk: KeyDesk, _name: str, body: bytes) -> Response:
    """Tell what all keys that were made took today and this month, together and each."""
    _refuse_body(body)
    each: list[_KeySpend] = []
    for key in await desk.store.list_all():
        usage = await desk.usage(key)
        await asyncio.sleep(0)  # clients' requests come first, however many keys there are
        each.append(_KeySpend(id=key.id, name=key.name, today=usage.today, month=usage.month))
    today = _sum(spend.today for spend in each)
    return _told(_Spend(today=today, month=_sum(spend.month for spend in each), keys=tuple(each)))


def _sum(amounts: Iterable[Amounts]) -> Amounts:
    every = tuple(amounts)
    return Amounts(
        usd=sum(each.usd for each in every),
        requests=sum(each.requests for each in every),
        tokens=sum(each.tokens for each in every),
    )


def _with_secret(desk: KeyDesk, made: Made) -> dict[str, object]:
    return {"key": made.secret, **shown(made.key, desk.clock())}


def _told(what: object, status: int = 200) -> Response:
    return Response(
        body=msgspec.json.encode(what), status=status, headers=(("cache-control", "no-store"),)
    )


def _refuse_body(body: bytes) -> None:
    if body.strip():
        raise BadInput("takes no body")
