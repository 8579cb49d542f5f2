"""Ask the gateway by OpenAI's client. Start it first: emafusion serve."""

import os
import sys

from openai import OpenAI

QUESTION = sys.argv[1] if len(sys.argv) > 1 else "What is the capital of Norway?"


def main() -> None:
    """Ask once, look at what it cost, then ask for a stream."""
    client = OpenAI(
        base_url=os.environ.get("EMAFUSION_URL", "http://127.0.0.1:8080") + "/v1",
        api_key=os.environ.get("EMAFUSION_KEY", "unused"),  # asked for off this machine only
    )

    told = client.chat.completions.with_raw_response.create(
        model="auto",
        messages=[{"role": "user", "content": QUESTION}],
        extra_body={"emafusion": {"quality_weight": 0.8}},
    )
    print(told.parse().choices[0].message.content)
    for name in ("model", "route", "confidence", "cost-usd", "decision-id"):
        print(f"  {name}: {told.headers.get(f'x-emafusion-{name}', 'unknown')}")

    stream = client.chat.completions.create(
        model="emafusion/eco",  # a profile: cheap first
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
