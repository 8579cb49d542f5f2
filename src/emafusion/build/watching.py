"""From the config and the environment to who watches the gateway."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from emafusion.config import TelemetrySection
from emafusion.domain.model import Candidate
from emafusion.gateway.watching import Pages, Watching
from emafusion.telemetry.exporting import exporters
from emafusion.telemetry.lines import RequestLines
from emafusion.telemetry.together import SHARED
from emafusion.telemetry.watch import Aside, Watcher


@contextmanager
def watched(
    section: TelemetrySection,
    env: Mapping[str, str],
    candidates: Callable[[], Mapping[str, Candidate]],
    *,
    more: Sequence[Watcher] = (),
) -> Generator[Watching, None, None]:
    """Everybody that the config and the environment ask for; what is left is sent on leaving.

    `more`: others who are to be told.
    Raises `Unready` where the environment asks for OpenTelemetry and the extra is not there.
    """
    watchers, pages = list[Watcher](more), None
    with ExitStack() as closing:
        if section.metrics:
            pages, counting = _metrics(env)
            watchers.append(counting)
        if section.requests:
            watchers.append(RequestLines())
        watchers += exporters(env, candidates, content=section.content, closing=closing)
        aside = Aside(tuple(watchers))
        try:
            yield Watching(aside=aside, pages=pages)
        finally:
            aside.flush()


def _metrics(env: Mapping[str, str]) -> tuple[Pages, Watcher]:
    # Not at the top: the library takes some 50 ms to load, and only a gateway needs it.
    from emafusion.telemetry.metrics import Metrics

    metrics = Metrics(shared=bool(env.get(SHARED)))
    return metrics, metrics
