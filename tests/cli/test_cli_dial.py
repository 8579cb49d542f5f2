"""`emafusion dial`: from what one wants to the setting that does it."""

from __future__ import annotations

import json

import pytest
from tests.cli.running import Shell

POOL = """
models:
  - {name: small, provider: openai, base_url: 'http://127.0.0.1:9/v1', remote_name: small-7b,
     prompt_usd_per_mtok: 0.05, completion_usd_per_mtok: 0.2}
  - {name: large, provider: openai, base_url: 'http://127.0.0.1:9/v1', remote_name: large-400b,
     prompt_usd_per_mtok: 5, completion_usd_per_mtok: 20}
"""


@pytest.fixture(name="pool")
def _pool(shell: Shell) -> Shell:
    (shell.folder / "emafusion.yaml").write_text(POOL)
    return shell


def setting(shell: Shell, *wish: str) -> dict[str, float]:
    """The one setting that answers a wish."""
    done = shell.run("dial", "--json", *wish)
    assert (done.code, done.err) == (0, "")
    (found,) = json.loads(done.out)
    return dict(found)


def test_a_wish_is_a_place_on_the_dial(pool: Shell) -> None:
    """Less quality costs less, a price is kept, and a right answer that is worth more buys more."""
    most, less = (setting(pool, "--quality-share", share) for share in ("1", "0.9"))
    assert less["cost_usd"] < most["cost_usd"]
    assert less["quality"] >= 0.9 * most["quality"] - 1e-3
    assert setting(pool, "--usd-per-1000", "1")["cost_usd"] <= 0.001 * 1.01
    cheap, dear = (setting(pool, "--answer-value-usd", usd) for usd in ("0.0001", "10"))
    assert cheap["quality_weight"] < dear["quality_weight"]


def test_the_whole_dial_is_a_table(pool: Shell) -> None:
    """Without a wish: some places from the cheapest to the best."""
    done = pool.run("dial")
    assert done.code == 0
    assert done.out.count("%") >= 12
    assert "The best single model is large." in done.out


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (("--usd-per-1000", "0.00001"), "the cheapest setting takes"),
        (("--quality-share", "0.9", "--reference", "lrge"), "no model 'lrge'; there are small"),
        (("--quality-share", "1", "--usd-per-1000", "1"), "say one of"),
        (("--answer-value-usd", "0"), "more than 0 US dollars"),
        (("--reference", "large"), "goes with --quality-share"),
    ],
)
def test_what_cannot_be_had_says_what_can(pool: Shell, wish: tuple[str, ...], says: str) -> None:
    """One line and exit code 2."""
    done = pool.run("dial", *wish)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


def test_a_pool_without_prices_has_no_dial(shell: Shell) -> None:
    """An unknown price is unknown, never 0."""
    plain = "models: [{name: a, provider: openai, base_url: 'http://127.0.0.1:9/v1'}]\n"
    (shell.folder / "emafusion.yaml").write_text(plain)
    done = shell.run("dial")
    assert (done.code, "no price of this pool is known" in done.err) == (2, True)
