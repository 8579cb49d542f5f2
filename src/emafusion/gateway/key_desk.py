"""What is done with keys, for the command line and the admin API alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from msgspec import structs

from emafusion.domain.errors import BadInput
from emafusion.gateway.admission_charges import daily, days_of_month, money
from emafusion.gateway.key_form import KeyForm, form_of, key_of, moment_of, read_form
from emafusion.gateway.key_shown import Amounts, Spending, Usage
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import Counter, KeyStore, Meter
from emafusion.store.keys.secret import digest_of, new_key_id, new_secret


class UnknownKey(BadInput):
    """No such key."""

    status = 404
    code = "key_not_found"


class RevokedKey(BadInput):
    """The key was revoked: nothing more is done with it."""

    status = 409
    code = "key_revoked"


@dataclass(frozen=True, slots=True)
class Made:
    """A key and its secret, which is nowhere else: it is shown once and never kept."""

    key: Key
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDesk:
    """Makes, shows, edits and ends keys.

    `pool`: names of the models that there are; empty where that is not known, then none is refused.
    `clock`: Unix seconds.
    """

    store: KeyStore
    meter: Meter
    pool: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.time

    async def make(self, form: KeyForm) -> Made:
        """Make a key. Raises `BadInput` where its name is taken or its end is past."""
        now_s, secret = self.clock(), new_secret()
        if form.expires_at is not None and form.expires_at.timestamp() <= now_s:
            raise BadInput("is past already", where="expires_at")
        self._check_models(form.models)
        key = key_of(form, key_id=new_key_id(), created_at=now_s)
        await self.store.make(key, digest_of(secret))
        return Made(key, secret)

    async def named(self, name: str) -> Key:
        """The key of this id or name; of several of a name the one that is not revoked.

        Raises `UnknownKey`.
        """
        if (key := await self.store.get(name)) is not None:
            return key
        found = [key for key in await self.store.list_all() if key.name == name]
        if not found:
            raise UnknownKey(f"there is no key {name[:80]!r}", where="key")
        return max(found, key=lambda key: (key.revoked_at is None, key.created_at))

    async def edit(self, name: str, changes: bytes) -> Key:
        """Change the fields that this JSON names. Raises `BadInput`, `UnknownKey`, `RevokedKey`."""
        key = await self.named(name)
        form = read_form(changes, known=structs.asdict(form_of(key)))
        if form.models != key.models:
            self._check_models(form.models)
        changed = key_of(form, key_id=key.id, created_at=key.created_at)
        if not await self.store.edit(changed):
            raise _revoked(key)
        return changed

    async def revoke(self, name: str) -> Key:
        """End a key for ever; to end it twice is no mistake. Raises `UnknownKey`."""
        key = await self.named(name)
        await self.store.revoke(key.id, now_s=self.clock())
        return await self.named(key.id)

    async def rotate(self, name: str, *, grace_s: float = 0.0) -> Made:
        """Give a key another secret; the old one holds for `grace_s` seconds more.

        Raises `UnknownKey`, `RevokedKey`.
        """
        key, secret = await self.named(name), new_secret()
        until_s = self.clock() + grace_s
        if not await self.store.rotate(key.id, digest_of(secret), old_until_s=until_s):
            raise _revoked(key)
        return Made(key, secret)

    async def usage(self, key: Key) -> Usage:
        """What a key took today and this month, and how its budgets stand."""
        now_s = self.clock()
        counters = tuple(money(key.id, budget.period, now_s) for budget in key.budgets)
        levels = await self.meter.read(counters, now_s=now_s)
        budgets = tuple(
            Spending(
                period=budget.period,
                budget_usd=budget.usd,
                used_usd=level.used,
                held_usd=level.held,
                resets_at=None if counter.ends_s == inf else moment_of(counter.ends_s),
            )
            for budget, counter, level in zip(key.budgets, counters, levels, strict=True)
        )
        return Usage(
            today=await self._amounts(key.id, now_s, is_month=False),
            month=await self._amounts(key.id, now_s, is_month=True),
            budgets=budgets,
        )

    def _check_models(self, models: tuple[str, ...]) -> None:
        """Raise `BadInput` for a model that is not there: it could never be used."""
        for name in models if self.pool else ():
            if name not in self.pool:
                known = ", ".join(sorted(self.pool))
                what = f"no model is called {name[:80]!r}, known are {known[:400]}"
                raise BadInput(what, where="models")

    async def _amounts(self, key_id: str, now_s: float, *, is_month: bool) -> Amounts:
        def days(what: str) -> tuple[Counter, ...]:
            whole = days_of_month(key_id, what, now_s)
            return whole if is_month else (daily(key_id, what, now_s),)

        async def total(what: str) -> float:
            return sum(level.used for level in await self.meter.read(days(what), now_s=now_s))

        return Amounts(
            usd=await total("usd"),
            requests=round(await total("requests")),
            tokens=round(await total("tokens")),
        )


def _revoked(key: Key) -> RevokedKey:
    return RevokedKey(f"the key {key.name!r} ({key.id}) was revoked", where="key")
