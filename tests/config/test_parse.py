"""What a config says, and what is said of a wrong one: every mistake, with its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.config import PROVIDERS, Config, ConfigError, ModelEntry, parse, with_address
from emafusion.domain.errors import BadInput

FULL = """
objective:
  quality_weight: 0.8
  max_cost_usd: 1e-2
models:
  - name: cheap
    provider: openai
    remote_name: gpt-5-nano
  - name: mine
    provider: openai
    base_url: http://127.0.0.1:8000/v1
    prompt_usd_per_mtok: 0
    abilities: [tools, json_schema]
    size_b: 7
gateway: {port: 9000, keys_required: true, keys_env: GATEWAY_KEYS}
judges: {use: [rules, llm], llm_model: mine}
log: {prompts: hash, retention_days: 7}
"""


def problems(text: str, source: str = "emafusion.yaml") -> list[str]:
    """Each line of what is wrong with a text."""
    with pytest.raises(ConfigError) as caught:
        parse(text, source=source)
    assert caught.value.status == 400
    return str(caught.value).split("\n")


def told(text: str, source: str) -> str:
    """What is wrong with a text, the source alone if nothing is."""
    try:
        parse(text, source=source)
    except ConfigError as error:
        return str(error)
    return source


def test_an_empty_file_is_the_default() -> None:
    """Nothing said means every default, in each way to say nothing."""
    for text in ("", "# only a comment", "---", "gateway:", "models: null", "\ufeff"):
        assert parse(text, source="emafusion.yaml") == Config()
    assert parse("{}", source="emafusion.json") == Config()
    assert parse("", source="emafusion.toml") == Config()


def test_a_full_file_is_read_as_it_says() -> None:
    """Every stated value arrives, in its type; the rest keeps its default."""
    config = parse(FULL, source="emafusion.yaml")
    assert config.objective.objective().quality_weight == 0.8
    assert config.objective.max_cost_usd == 0.01
    assert config.models[1] == ModelEntry(
        name="mine",
        provider="openai",
        base_url="http://127.0.0.1:8000/v1",
        prompt_usd_per_mtok=0.0,
        abilities=("tools", "json_schema"),
        size_b=7.0,
    )
    assert config.gateway.needs_keys
    assert config.judges.llm_model == "mine"
    assert config.log.prompts == "hash"
    assert config.log.max_mb == Config().log.max_mb


def test_json_and_toml_say_the_same_as_yaml() -> None:
    """The ending of the file picks the format; the tree is the same."""
    as_json = {"gateway": {"port": 9000}, "models": [{"name": "a", "provider": "groq"}]}
    as_toml = '[gateway]\nport = 9000\n[[models]]\nname = "a"\nprovider = "groq"\n'
    as_yaml = "gateway: {port: 9000}\nmodels: [{name: a, provider: groq}]"
    read = parse(as_yaml, source="c.yaml")
    assert parse(json.dumps(as_json), source="c.json") == read
    assert parse(as_toml, source="c.TOML") == read


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    """One pass over the file is enough to put all of it right."""
    text = """\
objective:
  quality_weight: 2
models:
  - name: a
    provider: opnai
    size_b: small
  - name: A
    provider: groq
gateway:
  prot: 9
polcy: {}
"""
    provider = f"emafusion.yaml:5: models[0].provider: must be one of {', '.join(PROVIDERS)}"
    assert problems(text) == [
        "emafusion.yaml:2: objective.quality_weight: must be a number between 0 and 1, got 2",
        f"{provider}, got 'opnai' (did you mean openai?)",
        "emafusion.yaml:6: models[0].size_b: must be a number above 0, got 'small'",
        "emafusion.yaml:7: models[1].name: 'A' is the name of models[0] too",
        "emafusion.yaml:10: gateway.prot: unknown key, did you mean port?",
        "emafusion.yaml:11: polcy: unknown key, did you mean policy?",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gateway: {port: 1, port: 2}", "gateway.port: is given twice"),
        ("gateway: [1]", "gateway: must be a mapping of keys to values, got a list"),
        ("[]", "must be a mapping of keys to values, got a list"),
        ("hello", "must be a mapping of keys to values, got 'hello'"),
        ("models: {name: a}", "models: must be a list"),
        ("models: [a]", "models[0]: must be a mapping of keys to values, got 'a'"),
        ("models: [{name: a}]", "models[0].provider: is missing"),
        ("models: [{name: 5, provider: groq}]", 'must be text, got 5: put it in quotes, "5"'),
        ("models: [{name: no, provider: groq}]", 'put it in quotes, "no"'),
        ("models: [{name: '', provider: groq}]", "models[0].name: must be text, got ''"),
        ("models: [{name: auto, provider: groq}]", "asks for routing and cannot name a model"),
        ("models: [{name: emafusion/x, provider: groq}]", "asks for routing"),
        ("models: [{name: 'a b', provider: groq}]", "must not contain blanks"),
        ("models: [{name: a, provider: groq, gguf: x.gguf}]", "gguf: is only for provider local"),
        ("models: [{name: a, provider: local, base_url: 'http://h'}]", "is not for provider local"),
        ("models: [{name: a, provider: openai, base_url: 'h:80'}]", "must start with http://"),
        ("models: [{name: a, provider: openai, base_url: 'http://[1'}]", "is not an address"),
        ("models: [{name: a, provider: openai, base_url: 'http://h:x/'}]", "is not an address"),
        ("models: [{name: a, provider: openai, base_url: 'http://u:p@h/'}]", "hold a password"),
        ("models: [{name: a, provider: openai, base_url: 'http://h/?k=1'}]", "must not have a ?"),
        ("models: [{name: a, provider: groq, abilities: tools}]", "must be a list such as [a, b]"),
        ("models: [{name: a, provider: groq, abilities: [tool]}]", "(did you mean tools?)"),
        ("models: [{name: a, provider: groq, size_b: 0}]", "must be a number above 0, got 0"),
        ("models: [{name: a, provider: groq, context_tokens: 1.5}]", "must be a whole number"),
        ("gateway: {port: '8080'}", "gateway.port: must be"),
        ("gateway: {port: true}", "must be a whole number between 0 and 65535, got true"),
        ("gateway: {port: null}", "got nothing"),
        ("gateway: {keys_required: maybe}", "must be true or false, got 'maybe'"),
        ("gateway: {keys_env: null}", "gateway.keys_env: must be the name of an environment"),
        ("gateway: {request_timeout_s: .inf}", "must be a number above 0"),
        ("gateway: {request_timeout_s: .nan}", "must be a number above 0"),
        ("objective: {answer_value_usd: 1, quality_weight: 1}", "leave one of the two out"),
        ("judges: {use: [rules], llm_model: a}", "is never asked"),
        ("policy: {decompose: no}", "must be one of off, rules, llm, got false"),
        ("fusion: {answers: 1}", "fusion.answers: must be a whole number between 2 and 8"),
        ("policy: {mode: gian}", "did you mean gain?"),
        ("judges: {llm_model: b}\nmodels: [{name: a, provider: groq}]", "no model is called b"),
        ("judges: {use: [rules, rules]}", "judges.use[1]: is listed twice: 'rules'"),
        ("gateway: !!python/object:os.system {}", "tag"),
        ("gateway: {host: !env HOST}", "has a tag that is not allowed here: !env"),
        ("a: b: c", "is not YAML"),
        ("a: {", "is not YAML"),
        ("a: *nowhere", "is not YAML"),
        ("--- 1\n--- 2", "is not YAML"),
        ("? [a]\n: b", "has a key that is not a name"),
        ("\x00", "is not YAML"),
        ("a: &a [*a]", "nested too deeply"),
        ("a: &a {<<: *a}", "nested too deeply"),
        ("[" * 5000, "is not YAML|nested too deeply"),
        ("x" * 200_001, "is too long"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(text: str, told: str) -> None:
    """Each kind of mistake has one line that says what would be right."""
    found = problems(text)
    assert any(part in line for line in found for part in told.split("|")), found
    assert all(line.startswith("emafusion.yaml") for line in found)


@pytest.mark.parametrize("off", ["off", "'off'", '"off"'])
def test_a_choice_may_be_spelled_as_yaml_spells_false(off: str) -> None:
    """A bare `off` is false to YAML; where off is a choice it is that."""
    config = parse(f"policy: {{decompose: {off}}}", source="emafusion.yaml", env={})
    assert config.policy.decompose == "off"


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        ("c.json", "{", "c.json:1: is not JSON"),
        ("c.json", '{"a": NaN}', "c.json: is not JSON: NaN is not a number"),
        ("c.json", '{"log": {"max_mb": 9, "max_mb": 8}}', "c.json: log.max_mb: is given twice"),
        ("c.json", "[" * 100_000, "nested too deeply"),
        ("c.toml", "a = ", "c.toml: is not TOML"),
        ("c.toml", "[gateway]\nport = 1\nport = 2", "c.toml: is not TOML"),
        ("c.toml", "[gateway]\nport = 1979-05-27", "c.toml: gateway.port: must be a whole number"),
    ],
)
def test_other_formats_tell_their_mistakes_too(source: str, text: str, told: str) -> None:
    """JSON and TOML are held to the same rules."""
    assert any(told in line for line in problems(text, source))


@pytest.mark.parametrize(
    "secret",
    ["sk-proj-abc123", "gsk_abc123", "AIzaSyD-9tSrke72", "sk-ant-api03-xyz", "Bearer abc", "xai-1"],
)
def test_a_secret_is_refused_and_never_repeated(secret: str) -> None:
    """Neither as a key of its own nor in the place of a variable's name; no message shows it."""
    entry = f"models: [{{name: a, provider: openai, api_key_env: {secret}}}]"
    inline = f"models: [{{name: a, provider: openai, api_key: {secret}}}]"
    keys = f"gateway: {{keys: [{secret}]}}"
    for text, advice in (
        (entry, "never the key itself"),
        (inline, "api_key_env"),
        (keys, "keys_env"),
    ):
        found = "\n".join(problems(text))
        assert advice in found
        assert secret not in found


def test_a_reference_to_a_variable_is_put_right() -> None:
    """Habits of other gateways get the plain name as advice."""
    for written in ("os.environ/GROQ_KEY", "${GROQ_KEY}", "$GROQ_KEY"):
        text = f"models: [{{name: a, provider: groq, api_key_env: {written!r}}}]"
        assert problems(text)[0].endswith(": write GROQ_KEY")


def test_a_missing_variable_is_told_by_name() -> None:
    """A key that the config counts on must be there, if the environment is known."""
    text = """
models:
  - {name: a, provider: groq}
  - {name: b, provider: openai, api_key_env: MY_KEY}
  - {name: c, provider: openai, base_url: "http://127.0.0.1:8000/v1"}
"""
    with pytest.raises(ConfigError) as caught:
        parse(text, source="c.yaml", env={"GROQ_API_KEY": " "})
    told = [str(problem).partition(" the ")[2] for problem in caught.value.problems]
    assert [line.partition(":")[0] for line in told] == [
        "environment variable GROQ_API_KEY is not set",
        "environment variable MY_KEY is not set",
    ]
    env = {"GROQ_API_KEY": "x", "MY_KEY": "y"}
    assert len(parse(text, source="c.yaml", env=env).models) == 3


def test_anchors_and_merges_are_followed() -> None:
    """What is said once for several models holds for each; its own keys win."""
    text = """
models:
  - &base {name: a, provider: groq, size_b: 7, family: llama}
  - {<<: *base, name: b, size_b: 8}
"""
    second = parse(text, source="c.yaml").models[1]
    assert (second.name, second.size_b, second.family) == ("b", 8.0, "llama")


def test_anchors_cannot_blow_up() -> None:
    """A billion laughs is refused, quickly."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert any("unfold without end" in line for line in problems("\n".join(lines)))


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "-1.0e999"])
def test_a_number_beyond_all_meaning_is_refused(number: str) -> None:
    """One line that shows its beginning, however many digits it has."""
    told = problems(f"objective: {{answer_value_usd: {number}}}")
    assert len(told) == 1
    assert "number that is too large" in told[0]
    assert len(told[0]) < 120


def test_a_gateway_that_is_open_to_others_needs_keys() -> None:
    """Unless said otherwise, a host that others can reach wants keys and ours alone does not."""
    text = "gateway: {host: 192.0.2.1}"
    assert parse(text, source="c.yaml", env={}).gateway.needs_keys
    said = "gateway: {host: 192.0.2.1, keys_required: false}"
    assert not parse(said, source="c.yaml", env={}).gateway.needs_keys
    assert not parse("", source="c.yaml", env={}).gateway.needs_keys


def test_an_address_of_the_command_line_wins() -> None:
    """It replaces the config's, and decides anew whether keys are needed."""
    assert with_address(Config(), port=1).gateway.port == 1
    assert with_address(Config(), host="192.0.2.1").gateway.needs_keys
    for wrong in (-1, 65_536):
        with pytest.raises(BadInput, match="port: must be between 0 and 65535"):
            with_address(Config(), port=wrong)
    with pytest.raises(BadInput, match="host: must be an address"):
        with_address(Config(), host=" ")


@given(st.text())
def test_any_text_is_a_config_or_a_clear_error(text: str) -> None:
    """No text brings anything but a config or a `ConfigError`, in any format."""
    for source in ("c.yaml", "c.json", "c.toml"):
        assert told(text, source).startswith(source)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["objective", "models", "gateway", "policy", "judges", "log", "local", "name", "port", "use"]
)


@given(st.dictionaries(names, values | st.dictionaries(names, values) | st.lists(values)))
def test_any_tree_is_a_config_or_a_clear_error(tree: dict[str, object]) -> None:
    """Whatever value stands at whatever key, there is no other kind of failure."""
    assert told(json.dumps(tree), "c.json").startswith("c.json")
