"""Where a service stands among others of the same gateway: alone, or one of several workers."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.build.local_models import LocalModels
from emafusion.store.shared import Shared


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """What a service takes from its surroundings.

    `leads`: it does what one process alone should do: removing what is past keeping, answering
    batches. `shared`: tells other workers, where no server does; None: there are none. `models`:
    who runs the models on this machine; None: the service itself.
    """

    leads: bool = True
    shared: Shared | None = None
    models: LocalModels | None = None


ALONE = Standing()
