# /// script
# dependencies = ["pydantic-ai-slim[openai,anthropic]"]
# ///
"""pydantic-ai: an agent with a tool, whole and streamed, and an answer of a type."""

import asyncio
import os

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

URL = os.environ["GATEWAY"]


class City(BaseModel):
    """A city."""

    name: str
    people: int


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"rain in {city}"


def model_named(api: str, name: str) -> Model:
    """A model behind one of the APIs."""
    if api == "openai":
        return OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key="k"))
    return AnthropicModel(name, provider=AnthropicProvider(base_url=URL, api_key="k"))


async def talk(api: str) -> None:
    """Talk over one API."""
    plain = await Agent(model_named(api, "auto")).run("What is the capital of Norway?")
    assert plain.output == "Oslo is the capital of Norway.", plain

    agent = Agent(model_named(api, "dear"), tools=[weather])
    told = await agent.run("How is the weather in Oslo?")
    assert told.output == "It is rain in Oslo.", told
    async with agent.run_stream("How is the weather in Oslo?") as stream:
        pieces = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
    assert "".join(pieces) == "It is rain in Oslo."
    assert len(pieces) > 3, pieces

    typed = await Agent(model_named(api, "dear"), output_type=City).run("Which city?")
    assert typed.output == City(name="Oslo", people=3), typed


for spoken in ("openai", "anthropic"):
    asyncio.run(talk(spoken))
