# /// script
# dependencies = ["instructor[anthropic]"]
# ///
"""instructor: answers of a type, whole and growing, over both APIs that it speaks."""

import os

import anthropic
import instructor
import openai
from pydantic import BaseModel

URL = os.environ["GATEWAY"]
ASKED = [{"role": "user", "content": "Which city?"}]
OSLO = {"name": "Oslo", "people": 3}


class City(BaseModel):
    """A city."""

    name: str
    people: int


theirs = openai.OpenAI(base_url=f"{URL}/v1", api_key="k")
for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
    client = instructor.from_openai(theirs, mode=mode)
    for name in ("auto", "dear"):
        city = client.chat.completions.create(model=name, messages=ASKED, response_model=City)
        assert city.model_dump() == OSLO, city
    partial = client.chat.completions.create_partial
    grown = list(partial(model="dear", messages=ASKED, response_model=City))
    assert grown[-1].model_dump() == OSLO, grown

client = instructor.from_anthropic(anthropic.Anthropic(base_url=URL, api_key="k"))
for name in ("auto", "dear"):
    asked = {"model": name, "max_tokens": 100, "messages": ASKED}
    city = client.messages.create(**asked, response_model=City)
    assert city.model_dump() == OSLO, city
