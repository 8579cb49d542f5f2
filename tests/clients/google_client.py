# /// script
# dependencies = ["google-genai"]
# ///
"""Google's own client: a talk with a tool, whole and streamed, a type, and a count."""

import os

from google import genai
from google.genai import types
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    name: str
    people: int


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"rain in {city}"


client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=os.environ["GATEWAY"]))
asked = "What is the capital of Norway?"
said = client.models.generate_content(model="auto", contents=asked)
assert said.text == "Oslo is the capital of Norway.", said
assert said.usage_metadata.prompt_token_count == 20, said

chunks = list(client.models.generate_content_stream(model="dear", contents=asked))
assert "".join(chunk.text or "" for chunk in chunks) == "Oslo is the capital of Norway."
assert len(chunks) > 3, chunks

armed = types.GenerateContentConfig(tools=[weather], system_instruction="Be brief.")
told = client.models.generate_content(model="dear", contents="Weather in Oslo?", config=armed)
assert told.text == "It is rain in Oslo.", told

typed = types.GenerateContentConfig(response_mime_type="application/json", response_schema=City)
city = client.models.generate_content(model="dear", contents="Which city?", config=typed)
assert city.parsed == City(name="Oslo", people=3), city

assert client.models.count_tokens(model="auto", contents=asked).total_tokens > 3
names = [model.name for model in client.models.list()]
assert {"models/auto", "models/dear"} <= set(names), names
