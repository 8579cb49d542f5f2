# /// script
# dependencies = ["llama-index-llms-openai-like"]
# ///
"""llama-index: a talk with a tool, whole and streamed."""

import os

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

URL = os.environ["GATEWAY"]


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"rain in {city}"


def model_named(name: str) -> OpenAILike:
    """A model behind the gateway."""
    fit = {"is_chat_model": True, "is_function_calling_model": True}
    return OpenAILike(model=name, api_base=f"{URL}/v1", api_key="k", context_window=100_000, **fit)


asked = [ChatMessage(role="user", content="What is the capital of Norway?")]
assert model_named("auto").chat(asked).message.content == "Oslo is the capital of Norway."

chunks = list(model_named("dear").stream_chat(asked))
assert chunks[-1].message.content == "Oslo is the capital of Norway.", chunks
assert sum(bool(chunk.delta) for chunk in chunks) > 3, chunks

tool = FunctionTool.from_defaults(fn=weather)
model = model_named("dear")
question = ChatMessage(role="user", content="How is the weather in Oslo?")
said = model.chat_with_tools([tool], user_msg=question)
(call,) = model.get_tool_calls_from_response(said)
assert (call.tool_name, call.tool_kwargs) == ("weather", {"city": "Oslo"})
*_, last = model.stream_chat_with_tools([tool], user_msg=question)
assert [c.tool_kwargs for c in model.get_tool_calls_from_response(last)] == [{"city": "Oslo"}]
about = {"tool_call_id": call.tool_id, "name": "weather"}
given = ChatMessage(role="tool", content=weather(**call.tool_kwargs), additional_kwargs=about)
talk = [question, said.message, given]
assert model.chat_with_tools([tool], chat_history=talk).message.content == "It is rain in Oslo."
