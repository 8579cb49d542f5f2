"""The config: one frozen tree, parsed once, every problem told with its line.

    from emafusion.config import parse

    config = parse(text, source="emafusion.yaml", env=os.environ)

Reading the file and the environment is the caller's; nothing here does input or output. What few
need has its own module: `config.litellm`, `config.schema`, `config.reference`.
"""

from emafusion.config.cache_section import CacheSection
from emafusion.config.discover import embedded_pool, pool_from_env, pool_from_servers
from emafusion.config.fusion_section import FusionSection
from emafusion.config.models import (
    DeploymentEntry,
    ModelEntry,
    candidate_of,
    model_of,
    places_of,
)
from emafusion.config.parsing import parse, with_address
from emafusion.config.problems import ConfigError, Problem
from emafusion.config.providers import PROVIDERS, Provider
from emafusion.config.reliability_section import ReliabilitySection
from emafusion.config.state_section import StateSection
from emafusion.config.telemetry_section import TelemetrySection
from emafusion.config.tree import (
    Config,
    GatewaySection,
    JudgesSection,
    LocalSection,
    LogSection,
    ObjectiveSection,
    PolicySection,
    is_loopback,
)
from emafusion.config.writing import default_yaml

__all__ = [
    "PROVIDERS",
    "CacheSection",
    "Config",
    "ConfigError",
    "DeploymentEntry",
    "FusionSection",
    "GatewaySection",
    "JudgesSection",
    "LocalSection",
    "LogSection",
    "ModelEntry",
    "ObjectiveSection",
    "PolicySection",
    "Problem",
    "Provider",
    "ReliabilitySection",
    "StateSection",
    "TelemetrySection",
    "candidate_of",
    "default_yaml",
    "embedded_pool",
    "is_loopback",
    "model_of",
    "parse",
    "places_of",
    "pool_from_env",
    "pool_from_servers",
    "with_address",
]
