"""From a limit that is reached to what the client is told."""

from __future__ import annotations

from math import ceil, inf

from msgspec.structs import replace

from emafusion.gateway.admission_charges import Limit
from emafusion.gateway.admission_refusal import (
    NO_RETRY,
    OutOfBudget,
    OutOfLimit,
    OutOfRate,
    TooMuch,
    retry_after,
)
from emafusion.gateway.admission_telling import wait_s
from emafusion.gateway.http import Headers
from emafusion.store.keys.ports import Level, Meter


async def refusal(
    limit: Limit, level: Level, *, headers: Headers, now_s: float, meter: Meter
) -> OutOfLimit:
    """What to raise for a limit that a request does not fit into.

    `level`: of its counter; `headers`: those that are told anyway.
    """
    charge = limit.charge
    if limit.kind == "parallel":
        what = f"{charge.limit:g} requests of this gateway key are under way, its most at once"
        return OutOfRate(what, headers=(*headers, *retry_after(1.0)))
    if limit.kind not in {"requests", "tokens"}:
        return _budget(limit, level, headers=headers, now_s=now_s)
    if charge.amount > charge.limit:
        what = f"this request may take {charge.amount:,.0f} {limit.kind}, and the gateway key "
        what += f"has {charge.limit:,.0f} a minute: ask for less (max_tokens)"
        return TooMuch(what, headers=(*headers, *NO_RETRY))
    here = replace(charge.counter, sliding=False)
    pair = await meter.read((here, here.before), now_s=now_s)
    seconds = wait_s(charge, pair[0].taken, pair[1].taken, now_s=now_s)
    what = f"the gateway key has {charge.limit:,.0f} {limit.kind} a minute, all taken for now"
    told = (*headers, *retry_after(seconds))
    return OutOfRate(f"{what}; try again in {ceil(seconds)} s", headers=told)


def _budget(limit: Limit, level: Level, *, headers: Headers, now_s: float) -> OutOfLimit:
    charge = limit.charge
    unspent, period = max(charge.limit - level.used, 0.0), limit.kind
    left = max(charge.limit - level.taken, 0.0)
    whole = f"the gateway key's budget of {charge.limit:g} US dollars"
    whole += " in all" if period == "total" else f" a {period}"
    if charge.amount <= unspent:
        what = f"what is left of {whole} is held by requests under way; try again in a moment"
        return OutOfRate(what, headers=(*headers, *retry_after(2.0)), left_usd=left)
    ends_s = charge.counter.ends_s
    if level.used >= charge.limit:
        what = f"{whole} is spent"
    else:
        what = f"{unspent:.4g} is left of {whole}, and this request may cost {charge.amount:.4g}"
    told = retry_after(ends_s - now_s) if ends_s < inf else ()
    return OutOfBudget(what, headers=(*headers, *told, *NO_RETRY), left_usd=left)
