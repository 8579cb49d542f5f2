"""The example dashboard asks for metrics that there are, and lays them out without overlap."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from emafusion.telemetry.instruments import Instruments

FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "emafusion.json"
BOARD: dict[str, Any] = json.loads(FILE.read_text())


def samples() -> set[str]:
    """Names of every sample that the page may hold."""
    registry = CollectorRegistry()
    Instruments(registry)
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {metric.name + end for metric in registry.collect() for end in ends.get(metric.type, ())}


def test_every_query_names_a_metric_that_is_there() -> None:
    """A dashboard of nothing helps nobody."""
    known = samples()
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            named = set(re.findall(r"emafusion_\w+", target["expr"]))
            assert named
            assert named <= known, panel["title"]


def test_it_is_what_an_import_expects() -> None:
    """Its data source is asked for, ids are unique, panels do not overlap."""
    assert [each["type"] for each in BOARD["templating"]["list"]] == ["datasource"]
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
