"""Runs every action of the embedded pool on the generated tasks and writes an outcome table.

    python benchmarks/embedded/record.py --out outcomes.jsonl [--per-kind 25] [--seed 7]

One row per task and action, with the columns of the outcome table. A row is written as soon as it
is there, and a second run goes on where the first one stopped. Costs are processor seconds at
$0.04 per core-hour, a usual price of a cloud core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import openai
from grading import score, short_answer
from openai.types.chat import ChatCompletion
from tasks import Task, generate

from emafusion.upstream.local.child import LocalServer, LocalSpec
from emafusion.upstream.local.weights import find_embedded, models_dir

USD_PER_CORE_HOUR = 0.04
ACTIONS = ("smollm2-135m", "smollm2-135m-fewshot", "smollm2-135m-vote", "calculator")
MAX_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; null where unknown."""

    query_id: str
    prompt: str
    dataset: str
    model: str
    response: str | None
    answer: str | None
    score: float
    gold: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float
    latency_s: float
    mean_logprob: float | None
    finish_reason: str
    cpu_seconds: float


async def record(client: openai.AsyncOpenAI, task: Task, model: str) -> Row:
    """Ask one action one task. Abstaining is a row without a response, score 0."""
    started = time.perf_counter()
    try:
        reply = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": task.prompt}],
            max_tokens=MAX_TOKENS,
            logprobs=True,
        )
    except openai.UnprocessableEntityError:
        return _row(task, model, None, latency_s=time.perf_counter() - started)
    return _row(task, model, reply, latency_s=time.perf_counter() - started)


def _row(task: Task, model: str, reply: ChatCompletion | None, *, latency_s: float) -> Row:
    usage = reply.usage if reply else None
    text = reply.choices[0].message.content if reply else None
    cpu_seconds = float((usage.model_extra or {})["cpu_seconds"]) if usage else 0.0
    return Row(
        query_id=task.query_id,
        prompt=task.prompt,
        dataset=f"embedded-{task.kind}",
        model=model,
        response=text,
        answer=short_answer(task, text) if text else None,
        score=score(task, text) if text else 0.0,
        gold=task.gold,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        cost_usd=cpu_seconds * USD_PER_CORE_HOUR / 3600,
        latency_s=latency_s,
        mean_logprob=_mean_logprob(reply) if reply else None,
        finish_reason=reply.choices[0].finish_reason if reply else "not_my_task",
        cpu_seconds=cpu_seconds,
    )


def _mean_logprob(reply: ChatCompletion) -> float | None:
    logprobs = reply.choices[0].logprobs
    tokens = logprobs.content or [] if logprobs else []
    return sum(token.logprob for token in tokens) / len(tokens) if tokens else None


async def main() -> None:
    """Record what the table does not hold yet."""
    parser = argparse.ArgumentParser(description="Record the embedded pool on generated tasks.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--per-kind", type=int, default=25)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--models", type=Path, default=models_dir(os.environ))
    given = parser.parse_args()
    done = _recorded(given.out)
    server = LocalServer(LocalSpec(model=find_embedded(given.models)))
    server.start()
    try:
        await server.wait_ready()
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0)
        with given.out.open("a", encoding="utf-8") as sink:
            for task in generate(seed=given.seed, per_kind=given.per_kind):
                for action in ACTIONS:
                    if (task.query_id, action) not in done:
                        row = await record(client, task, action)
                        sink.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                        sink.flush()
                print(f"\r{task.query_id:24}", end="", file=sys.stderr)
    finally:
        await server.stop()


def _recorded(path: Path) -> set[tuple[str, str]]:
    if not path.exists():
        return set()
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(row["query_id"], row["model"]) for row in rows}


if __name__ == "__main__":
    asyncio.run(main())
