"""KIND -> importer, for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emafusion.tables.importing.found import Importer
from emafusion.tables.importing.inspect_logs import import_inspect
from emafusion.tables.importing.litellm import import_litellm
from emafusion.tables.importing.llmrouterbench import import_llmrouterbench
from emafusion.tables.importing.lm_eval import import_lm_eval
from emafusion.tables.importing.mapped import import_mapped
from emafusion.tables.importing.openai_batch import import_openai_batch
from emafusion.tables.importing.otel import import_otel
from emafusion.tables.importing.own_log import import_log
from emafusion.tables.importing.routerarena import import_routerarena
from emafusion.tables.importing.routerbench import import_routerbench
from emafusion.tables.importing.routereval import import_routereval


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of source: what it is, who reads it, and which wishes mean something to it."""

    told: str
    importer: Importer
    wishes: frozenset[str] = frozenset()


KINDS: Final[Mapping[str, Kind]] = {
    "routerbench": Kind(told="RouterBench, exported as parquet, CSV or JSON",
                        importer=import_routerbench),
    "routerarena": Kind(told="RouterArena's recorded answers; for testing only",
                        importer=import_routerarena, wishes=frozenset({"model"})),
    "llmrouterbench": Kind(told="LLMRouterBench's result files",
                           importer=import_llmrouterbench, wishes=frozenset({"model"})),
    "routereval": Kind(told="RouterEval, and any table of questions by models",
                       importer=import_routereval),
    "lm-eval": Kind(told="samples of lm-evaluation-harness", importer=import_lm_eval,
                    wishes=frozenset({"metric", "chosen_filter", "model"})),
    "inspect": Kind(told="logs of inspect_ai, .eval or .json", importer=import_inspect,
                    wishes=frozenset({"metric"})),
    "litellm": Kind(told="LiteLLM's spend logs, exported as JSON, CSV or parquet",
                    importer=import_litellm, wishes=frozenset({"model"})),
    "openai-batch": Kind(told="OpenAI's batch files: requests and answers",
                         importer=import_openai_batch, wishes=frozenset({"model"})),
    "otel": Kind(told="GenAI spans of OpenTelemetry, as OTLP in JSON", importer=import_otel,
                 wishes=frozenset({"metric", "model"})),
    "jsonl": Kind(told="any JSONL, CSV or parquet, by --map", importer=import_mapped,
                  wishes=frozenset({"columns", "model"})),
    "log": Kind(told="the gateway's own log", importer=import_log),
}  # fmt: skip
