# /// script
# dependencies = ["langchain-openai", "langchain-anthropic"]
# ///
"""langchain: a talk with a tool, whole and streamed, over both APIs that it speaks."""

import os

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

URL = os.environ["GATEWAY"]


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"rain in {city}"


def model_named(api: str, name: str) -> BaseChatModel:
    """A model behind one of the APIs."""
    if api == "openai":
        return ChatOpenAI(base_url=f"{URL}/v1", api_key="k", model=name, stream_usage=True)
    return ChatAnthropic(base_url=URL, api_key="k", model=name, max_tokens=100)


for api in ("openai", "anthropic"):
    said = model_named(api, "auto").invoke("What is the capital of Norway?")
    assert said.text == "Oslo is the capital of Norway.", said
    assert said.usage_metadata["input_tokens"] == 20, said

    chunks = list(model_named(api, "dear").stream("What is the capital of Norway?"))
    assert "".join(chunk.text for chunk in chunks) == "Oslo is the capital of Norway."
    assert sum(bool(chunk.text) for chunk in chunks) > 3, chunks

    armed = model_named(api, "dear").bind_tools([weather])
    talk = [HumanMessage("How is the weather in Oslo?")]
    called = armed.invoke(talk)
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Oslo"})
    grown = None
    for chunk in armed.stream(talk):
        grown = chunk if grown is None else grown + chunk
    assert [c["args"] for c in grown.tool_calls] == [{"city": "Oslo"}]
    talk += [called, ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])]
    assert armed.invoke(talk).text == "It is rain in Oslo."
