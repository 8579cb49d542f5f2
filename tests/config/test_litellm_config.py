"""A LiteLLM proxy config becomes one of ours; what is left behind is said, secrets stay behind."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.config import ConfigError, ModelEntry, parse
from emafusion.config.litellm import import_litellm
from emafusion.config.models import DeploymentEntry

PROXY = """
model_list:
  - model_name: cheap
    litellm_params:
      model: openai/gpt-6-luna
      api_key: os.environ/OPENAI_API_KEY
      rpm: 100
  - model_name: cheap
    litellm_params: {model: groq/openai/gpt-oss-20b, api_key: os.environ/MY_GROQ}
  - model_name: claude
    litellm_params: {model: claude-haiku-5-5, api_key: sk-ant-secret}
  - model_name: my llama
    litellm_params: {model: ollama/llama3.3, api_base: "http://10.0.0.5:11434"}
  - model_name: azure-gpt
    litellm_params: {model: azure/gpt-6, api_base: "https://me.example.org", api_key: abc}
    model_info: {mode: chat}
  - model_name: vllm
    litellm_params:
      model: hosted_vllm/mine
      input_cost_per_token: 0.0000002
      output_cost_per_token: 4e-07
  - model_name: all/*
    litellm_params: {model: "openai/*"}
litellm_settings: {drop_params: true}
general_settings: {master_key: sk-1234}
"""


def test_each_deployment_finds_its_native_way() -> None:
    """Known providers and servers are called directly, the rest through the library."""
    config = parse(import_litellm(PROXY), source="emafusion.yaml")
    assert config.models == (
        ModelEntry(name="cheap", provider="openai", remote_name="gpt-6-luna"),
        ModelEntry(
            name="cheap-2",
            provider="groq",
            remote_name="openai/gpt-oss-20b",
            api_key_env="MY_GROQ",
        ),
        ModelEntry(
            name="claude",
            provider="anthropic",
            remote_name="claude-haiku-5-5",
            api_key_env="CLAUDE_API_KEY",
        ),
        ModelEntry(
            name="my-llama",
            provider="openai",
            base_url="http://10.0.0.5:11434/v1",
            remote_name="llama3.3",
        ),
        ModelEntry(
            name="azure-gpt",
            provider="litellm",
            base_url="https://me.example.org",
            remote_name="azure/gpt-6",
        ),
        ModelEntry(
            name="vllm",
            provider="openai",
            base_url="http://127.0.0.1:8000/v1",
            remote_name="mine",
            prompt_usd_per_mtok=0.2,
            completion_usd_per_mtok=0.4,
        ),
    )


SEVERAL = """
model_list:
  - {model_name: gpt, litellm_params: {model: gpt-6-luna, api_key: os.environ/KEY_A, tpm: 9}}
  - {model_name: gpt, litellm_params: {model: openai/gpt-6-luna, api_key: sk-in-the-file}}
  - {model_name: gpt, litellm_params: {model: gpt-6-luna, api_key: os.environ/KEY_A}}
  - {model_name: gpt, litellm_params: {model: gpt-6-sol}}
  - model_name: mine
    litellm_params: {model: openai/llama, api_base: "http://10.0.0.5:80/v1", api_key: os.environ/K}
  - model_name: mine
    litellm_params: {model: openai/llama-eu, api_base: "http://10.0.0.6:8000/v1"}
router_settings:
  fallbacks: [{gpt: [mine, nobody]}, {gone: [mine]}]
  num_retries: 2
"""


def test_what_shares_a_name_is_one_model_at_several_deployments() -> None:
    """Keys apart, places that come twice once; another model of that name is another model."""
    text = import_litellm(SEVERAL)
    assert parse(text, source="emafusion.yaml").models == (
        ModelEntry(
            name="gpt",
            provider="openai",
            remote_name="gpt-6-luna",
            deployments=(
                DeploymentEntry(api_key_env="KEY_A"),
                DeploymentEntry(api_key_env="GPT_2_API_KEY"),
            ),
            fallbacks=("mine",),
        ),
        ModelEntry(name="gpt-2", provider="openai", remote_name="gpt-6-sol"),
        ModelEntry(
            name="mine",
            provider="openai",
            remote_name="llama",
            deployments=(
                DeploymentEntry(base_url="http://10.0.0.5:80/v1", api_key_env="K"),
                DeploymentEntry(base_url="http://10.0.0.6:8000/v1", remote_name="llama-eu"),
            ),
        ),
    )
    for line in (
        "# Taken over from config.yaml: 6 of 6 deployments.",
        "# gpt: not taken over: tpm.",
        "# gpt-2: its key is not copied; set the environment variable GPT_2_API_KEY.",
        "# Not taken over: the fallback of gpt to nobody.",
        "# Not taken over: the fallback of gone to mine.",
        "# Not taken over: router_settings.num_retries.",
    ):
        assert f"{line}\n" in text
    assert "sk-in-the-file" not in text


def test_what_is_left_behind_is_said_on_top() -> None:
    """Limits, settings, wildcards and keys are named in comments, none silently dropped."""
    text = import_litellm(PROXY, source="proxy.yaml")
    for line in (
        "# Taken over from proxy.yaml: 6 of 7 deployments.",
        "# cheap: not taken over: rpm.",
        "# claude: its key is not copied; set the environment variable CLAUDE_API_KEY.",
        "# azure-gpt: called through the litellm library, which reads its usual variable.",
        "# Not taken over: openai/*, a wildcard; name the models instead.",
        "# Not taken over: litellm_settings.drop_params.",
        "# Not taken over: general_settings.",
    ):
        assert f"{line}\n" in text


def test_no_secret_of_the_file_is_copied() -> None:
    """Neither a provider's key nor the proxy's own."""
    text = import_litellm(PROXY)
    for secret in ("sk-ant-secret", "sk-1234", "abc\n", ": abc"):
        assert secret not in text


def test_an_address_with_a_password_or_in_a_variable_is_left_out() -> None:
    """Such an address is for the user to give; the note says so."""
    for address in ("http://u:p@h/v1", "os.environ/BASE", "not an address"):
        params = {"model": "openai/x", "api_base": address}
        text = import_litellm(json.dumps({"model_list": [{"litellm_params": params}]}))
        assert "its address is not copied" in text
        assert address not in text
        assert parse(text, source="c.yaml").models[0].base_url is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "proxy.yaml: has no model_list"),
        ("model_list: []", "proxy.yaml: has no model_list"),
        ("model_list: {a: b}", "proxy.yaml: has no model_list"),
        ("a: {", "proxy.yaml:1: is not YAML"),
        ("model_list:\n  - model_name: a", "proxy.yaml:2: model_list[0] has no litellm_params"),
        ("model_list: [5]", "model_list[0] has no litellm_params.model"),
    ],
)
def test_what_is_no_proxy_config_is_refused(text: str, told: str) -> None:
    """One line, with the file and what is missing."""
    with pytest.raises(ConfigError) as caught:
        import_litellm(text, source="proxy.yaml")
    assert str(caught.value).startswith(told) or told in str(caught.value)
    assert "\n" not in str(caught.value)


values = st.text(max_size=12) | st.floats() | st.none() | st.booleans()
models = st.sampled_from(["openai/x", "ollama/y", "azure/z", "claude-1", "auto", "a,b c"])
params = st.fixed_dictionaries(
    {"model": models | st.text(min_size=1, max_size=8)},
    optional={
        "api_key": values,
        "api_base": values,
        "input_cost_per_token": values,
        "x\ny": values,
    },
)
names = values | st.sampled_from(["a", "A", "a-2"])
rows = st.fixed_dictionaries({"litellm_params": params}, optional={"model_name": names})


@given(st.lists(rows, min_size=1, max_size=4), st.text(max_size=8))
def test_whatever_is_taken_over_can_be_read(found: list[object], source: str) -> None:
    """The text made is always a valid config of ours, or the file is refused."""
    try:
        text = import_litellm(json.dumps({"model_list": found}), source=source)
    except ConfigError:
        return
    parse(text, source="emafusion.yaml")
