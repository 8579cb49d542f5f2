"""The library's face, against a fake provider over real sockets."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR

import emafusion
from emafusion import EmaFusion
from emafusion.config import parse
from emafusion.domain.errors import BadInput, Failure, UnknownModel


def client(provider: Provider, home: Path) -> EmaFusion:
    """A client whose pool is the fake provider's two models."""
    env = {"EMAFUSION_HOME": str(home)}
    text = BASE + CHEAP_AND_DEAR.replace("URL", provider.url)
    return EmaFusion(parse(text, source="test.yaml", env=env), env=env)


def test_chat(provider: Provider, tmp_path: Path) -> None:
    """A question is answered, with whose answer it is and what it cost."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    with client(provider, tmp_path) as ema:
        answer = ema.chat("What is the capital of Norway?")
    assert answer.text == "Oslo"
    assert answer.model in {"cheap", "dear"}
    assert answer.cost_usd is not None
    assert answer.decision_id.startswith("em-")


def test_wish(provider: Provider, tmp_path: Path) -> None:
    """Model, limits and settings can be wished for; messages may be whole conversations."""
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    with client(provider, tmp_path) as ema:
        named = ema.chat(turns, model="dear", settings={"temperature": 0.5})
        only = ema.chat("Hi", models=["dear"], session="s1")
        best = ema.chat("Hi", quality_weight=1)
    assert (named.route, only.model) == ("direct", "dear")
    assert only.outcome.session == "s1"
    assert best.outcome.objective.quality_weight == 1.0
    assert provider.seen[0]["temperature"] == 0.5
    assert [turn["role"] for turn in provider.seen[0]["messages"]] == ["system", "user"]


@pytest.mark.parametrize("model", ["auto", "dear"])
def test_stream(provider: Provider, tmp_path: Path, model: str) -> None:
    """The pieces of a stream are the answer, held back before or not."""
    provider.script = {"cheap": "It is Oslo", "dear": "It is Oslo"}
    with client(provider, tmp_path) as ema:
        stream = ema.stream("What is the capital of Norway?", model=model)
        pieces = list(stream)
    assert "".join(pieces) == "It is Oslo"
    assert stream.answer is not None
    assert stream.answer.text == "It is Oslo"
    assert stream.answer.model in {"cheap", "dear"}


def test_leaving_a_stream_ends_the_call(provider: Provider, tmp_path: Path) -> None:
    """Who breaks off gets no more, and the provider is told so."""
    provider.script = {"dear": "slow:one two three four five six seven eight nine ten"}
    with client(provider, tmp_path) as ema:
        first = next(iter(ema.stream("Count.", model="dear")))
        assert first == "one"
        assert provider.left.wait(5)


def test_a_failure_is_raised(provider: Provider, tmp_path: Path) -> None:
    """Where nobody answers, why; in a stream too."""
    provider.script = {"cheap": "status:400", "dear": "status:400"}
    with client(provider, tmp_path) as ema:
        with pytest.raises(Failure, match="as scripted"):
            ema.chat("Hi")
        with pytest.raises(Failure, match="as scripted"):
            list(ema.stream("Hi"))


def test_threads_share_one(provider: Provider, tmp_path: Path) -> None:
    """Several threads may ask at once, and several may be open at once."""
    with client(provider, tmp_path / "a") as one, client(provider, tmp_path / "b") as other:
        with ThreadPoolExecutor(4) as pool:
            asked = pool.map(lambda n: one.chat(f"{n}", model="cheap").text, range(8))
        assert list(asked) == [f"echo of {n}" for n in range(8)]
        assert other.chat("Hi", model="cheap").text == "echo of Hi"


async def test_async(provider: Provider, tmp_path: Path) -> None:
    """The same without a thread."""
    async with client(provider, tmp_path) as ema:
        answer = await ema.achat("Hi", model="cheap")
        pieces = [piece async for piece in ema.astream("Hi", model="cheap")]
    assert answer.text == "".join(pieces) == "echo of Hi"


def test_explain_calls_nobody(provider: Provider, tmp_path: Path) -> None:
    """A plan is made without a call."""
    with client(provider, tmp_path) as ema:
        plan = ema.explain("What is the capital of Norway?")
    assert {each.model for each in plan.candidates} == {"cheap", "dear"}
    assert not provider.seen


def test_mistakes_are_told(provider: Provider, tmp_path: Path) -> None:
    """A wrong model, a wrong setting, a use without opening: each is a plain error."""
    with client(provider, tmp_path) as ema:
        with pytest.raises(UnknownModel, match="did you mean 'cheap'"):
            ema.chat("Hi", model="cheep")
        with pytest.raises(BadInput, match="temperature"):
            ema.chat("Hi", settings={"temperature": "hot"})
        with pytest.raises(BadInput, match="quality_weight"):
            ema.chat("Hi", quality_weight=3)
        with pytest.raises(BadInput, match="did you mean 'quality_weight'"):
            ema.chat("Hi", qualty_weight=1)  # type: ignore[call-arg]  # the mistake is the point
        with pytest.raises(BadInput, match="cannot be sent as JSON"):
            ema.chat("Hi", settings={"seed": object()})
        with pytest.raises(BadInput, match="is open already"):
            ema.__enter__()
    with pytest.raises(BadInput, match="is not open"):
        ema.chat("Hi")
    with pytest.raises(BadInput, match="cannot be read"):
        EmaFusion.from_config(tmp_path / "nowhere.yaml")


def test_public_names_are_what_is_said() -> None:
    """Everything in `__all__` can be had, and nothing else is promised."""
    code = "import emafusion; [getattr(emafusion, n) for n in emafusion.__all__]"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="nothing"):
        _ = emafusion.nothing
