"""A budget for the day turns the gateway's dial by what was really spent."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR

from emafusion.build.opening import opened
from emafusion.build.pacing import Pacer
from emafusion.config import parse
from emafusion.domain.query import ask
from emafusion.gateway.service import Asked, new_decision_id
from emafusion.store.keys.memory import MemoryMeter

NOON_S = 1_800_014_400.0


async def test_spending_turns_the_dial(provider: Provider, tmp_path: Path) -> None:
    """Down where the day would end above its budget, up where it would end below."""
    text = BASE + CHEAP_AND_DEAR.replace("URL", provider.url)
    env = {"EMAFUSION_HOME": str(tmp_path)}
    meter = MemoryMeter()
    async with opened(parse(text, source="c.yaml", env=env), env) as gateway:
        service = gateway.service

        async def minutes(budget_usd: float) -> float:
            clock = [NOON_S]
            pacer = Pacer(budget_usd=budget_usd, meter=meter, clock=lambda: clock[0])
            for _ in range(10):
                query = ask("Hi", requested="dear", query_id=new_decision_id())
                asked = Asked(query=query, objective=service.objective)
                outcome = await service.answer(asked, service.run())
                pacer.answered(replace(outcome, created_at=clock[0]))
                clock[0] += 60.0
                await pacer.step(service)
            return service.objective.quality_weight

        assert service.objective.quality_weight == 0.6
        low = await minutes(0.0001)
        assert low == 0.0
        assert await minutes(1000.0) > 0.1


async def test_what_was_spent_is_counted_on_leaving(provider: Provider, tmp_path: Path) -> None:
    """And read again by the next process of that day."""
    text = BASE.replace("quality_weight: 0.6", "quality_weight: 0.6, budget_usd_per_day: 5")
    text += CHEAP_AND_DEAR.replace("URL", provider.url)
    env = {"EMAFUSION_HOME": str(tmp_path)}
    config = parse(text, source="c.yaml", env=env)
    async with opened(config, env) as gateway:
        service = gateway.service
        asked = Asked(query=ask("Hi", requested="dear"), objective=service.objective)
        outcome = await service.answer(asked, service.run())
        service.watching.aside.flush()
    async with opened(config, env) as gateway:
        pacer = Pacer(budget_usd=5.0, meter=gateway.keys.meter)
        await pacer.step(gateway.service)
        assert pacer._pace is not None
        assert pacer._pace.spent_usd == outcome.answer.evidence.cost_usd
