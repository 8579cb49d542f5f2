"""What is written from the definition: the commented file, the schema, the reference page."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emafusion.config import (
    PROVIDERS,
    Config,
    ConfigError,
    GatewaySection,
    JudgesSection,
    LocalSection,
    LogSection,
    ModelEntry,
    ObjectiveSection,
    PolicySection,
    default_yaml,
    parse,
)
from emafusion.config.keys import Section, keys_of
from emafusion.config.reference import reference
from emafusion.config.schema import schema_text

ROOT = Path(__file__).parents[2]
SECTIONS: tuple[type[Section], ...] = (
    ObjectiveSection,
    ModelEntry,
    GatewaySection,
    PolicySection,
    JudgesSection,
    LogSection,
    LocalSection,
)

texts = st.text(
    st.characters(blacklist_categories=["C", "Zl", "Zp", "Zs"], blacklist_characters=", /"),
    min_size=1,
    max_size=12,
)
positive = st.floats(1e-6, 1e9)
names = st.lists(texts, unique_by=str.casefold, max_size=4)


def entry(name: str) -> st.SearchStrategy[ModelEntry]:
    """Any entry of a pool by that name."""
    return st.builds(
        ModelEntry,
        name=st.just(f"m{name}"),
        provider=st.sampled_from(["openai", "groq", "anthropic"]),
        base_url=st.none() | st.just("https://example.org:8000/v1"),
        api_key_env=st.none() | st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True),
        remote_name=st.none() | texts,
        prompt_usd_per_mtok=st.none() | st.floats(0, 1e6),
        context_tokens=st.none() | st.integers(1, 10**9),
        abilities=st.none()
        | st.lists(st.sampled_from(["tools", "n", "images"]), unique=True).map(tuple),
        size_b=st.none() | positive,
    )


configs = st.builds(
    Config,
    objective=st.builds(
        ObjectiveSection,
        quality_weight=st.floats(0, 1),
        max_cost_usd=st.none() | positive,
        min_quality=st.none() | st.floats(0, 1),
    ),
    models=names.flatmap(lambda found: st.tuples(*map(entry, found))),
    gateway=st.builds(
        GatewaySection, port=st.integers(0, 65_535), keys_required=st.just(value=False)
    ),
    policy=st.builds(PolicySection, max_looks=st.integers(1, 8), artifact=st.none() | texts),
    judges=st.builds(
        JudgesSection,
        use=st.lists(st.sampled_from(["rules", "logprob", "llm"]), unique=True).map(tuple),
    ),
    log=st.builds(LogSection, path=st.none() | texts, prompts=st.sampled_from(["full", "hash"])),
)


@given(configs)
def test_a_written_config_reads_back_equal(config: Config) -> None:
    """Whatever can be configured can be written and read again, nothing lost or added."""
    assert parse(default_yaml(config), source="c.yaml") == config


def test_every_key_is_explained_in_the_written_file() -> None:
    """Each key of each section is there with its meaning, set or commented out."""
    text = default_yaml(Config())
    plain = " ".join(text.replace("#", " ").split())
    for section in SECTIONS:
        for spec in keys_of(section):
            assert f"{spec.name}: " in text
            assert " ".join(spec.key.about.split()) in plain


def test_lines_behind_a_hash_can_be_switched_on() -> None:
    """Every commented key is valid as it stands: taking off the hash changes nothing."""
    lines = default_yaml(Config()).splitlines()
    keys = {spec.name for section in SECTIONS[2:] for spec in keys_of(section)}
    keys |= {spec.name for spec in keys_of(ObjectiveSection)}
    on = [
        line.replace("# ", "", 1) if line.strip("# ").partition(":")[0] in keys else line
        for line in lines
        if not line.startswith("#")
    ]
    assert parse("\n".join(on), source="c.yaml") == Config()


def test_notes_stand_on_top_as_comments() -> None:
    """What was found goes above the first section and is no part of the config."""
    text = default_yaml(Config(), notes=("Found: OPENAI_API_KEY.", ""))
    assert "# Found: OPENAI_API_KEY.\n#\n" in text.partition("objective:")[0]
    assert parse(text, source="c.yaml") == Config()


def test_the_shipped_schema_is_current() -> None:
    """`config.schema.json` is what the definition makes now; `scripts/docs` writes it."""
    shipped = resources.files("emafusion.config").joinpath("config.schema.json")
    assert shipped.read_text(encoding="utf-8") == schema_text()


def test_the_reference_page_is_current() -> None:
    """`docs/config.md` is what the definition makes now; `scripts/docs` writes it."""
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert page == reference()
    for section in SECTIONS:
        for spec in keys_of(section):
            assert f"| `{spec.name}` |" in page
    for name in PROVIDERS:
        assert f"| `{name}` |" in page


def test_the_schema_knows_the_same_keys_as_the_reader() -> None:
    """A key that the schema has is read, one that it lacks is refused."""
    schema = json.loads(schema_text())
    for name, shape in schema["properties"].items():
        inner = next(option for option in shape["anyOf"] if option["type"] != "null")
        assert inner.get("items", inner)["additionalProperties"] is False
        empty = "[]" if inner["type"] == "array" else "{}"
        assert parse(f'{{"{name}": {empty}}}', source="c.json") == Config()
        with pytest.raises(ConfigError, match=rf"did you mean {name}\?"):
            parse(f'{{"{name}_": {empty}}}', source="c.json")


def test_the_written_file_is_plain_yaml() -> None:
    """Any YAML reader sees the same pool."""
    pool = (ModelEntry(name="no", provider="groq", remote_name="on: [x"),)
    loaded = yaml.safe_load(default_yaml(Config(models=pool)))
    assert loaded["models"] == [{"name": "no", "provider": "groq", "remote_name": "on: [x"}]
