"""The library's face, against a fake provider over real sockets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR

import emafusion
from emafusion import EmaFusion, Options, Wish
from emafusion.config import parse
from emafusion.domain.errors import BadInput, UnknownModel


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
        named = ema.chat(turns, Wish(model="dear", settings={"temperature": 0.5}))
        only = ema.chat("Hi", Wish(options=Options(models=("dear",))))
    assert (named.route, only.model) == ("direct", "dear")
    assert provider.seen[0]["temperature"] == 0.5
    assert [turn["role"] for turn in provider.seen[0]["messages"]] == ["system", "user"]


@pytest.mark.parametrize("model", ["auto", "dear"])
def test_stream(provider: Provider, tmp_path: Path, model: str) -> None:
    """The pieces of a stream are the answer, held back before or not."""
    provider.script = {"cheap": "It is Oslo", "dear": "It is Oslo"}
    with client(provider, tmp_path) as ema:
        pieces = list(ema.stream("What is the capital of Norway?", Wish(model=model)))
    assert "".join(pieces) == "It is Oslo"


async def test_async(provider: Provider, tmp_path: Path) -> None:
    """The same without a thread."""
    async with client(provider, tmp_path) as ema:
        answer = await ema.achat("Hi", Wish(model="cheap"))
        pieces = [piece async for piece in ema.astream("Hi", Wish(model="cheap"))]
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
            ema.chat("Hi", Wish(model="cheep"))
        with pytest.raises(BadInput, match="temperature"):
            ema.chat("Hi", Wish(settings={"temperature": "hot"}))
    with pytest.raises(BadInput, match="context manager"):
        ema.chat("Hi")
    with pytest.raises(BadInput, match="cannot be read"):
        EmaFusion.from_config(tmp_path / "nowhere.yaml")


def test_public_names_are_what_is_said() -> None:
    """Everything in `__all__` can be had, and nothing else is promised."""
    code = "import emafusion; [getattr(emafusion, n) for n in emafusion.__all__]"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="nothing"):
        _ = emafusion.nothing
