"""Where keys and what they spend are kept, by the config; and which keys are let in."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emafusion.build.state import shared_keys
from emafusion.config import Config
from emafusion.domain.errors import Unready
from emafusion.gateway.admission import Admission
from emafusion.gateway.admission_steady import SteadyMeter
from emafusion.gateway.keys import Keys, make_keys
from emafusion.home import home
from emafusion.store.keys.ports import KeyStore, Meter
from emafusion.store.keys.sqlite_file import KeysFile
from emafusion.store.keys.sqlite_keys import SQLiteKeyStore
from emafusion.store.keys.sqlite_meter import SQLiteMeter

FILE_NAME = "keys.sqlite"

_log = logging.getLogger("emafusion")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Keys, and the counters of what they spend."""

    store: KeyStore
    meter: Meter

    async def close(self) -> None:
        """Let go of both."""
        await self.store.close()
        await self.meter.close()


def open_keys(config: Config, env: Mapping[str, str]) -> KeyRing:
    """Open them; of a file nothing is read or made until somebody asks.

    Raises `Unready` where replicas share them and their place cannot be reached.
    """
    store, meter = shared_keys(config, env)
    file = KeysFile(keys_path(config, env))
    return KeyRing(store=store or SQLiteKeyStore(file), meter=meter or SQLiteMeter(file))


def keys_path(config: Config, env: Mapping[str, str]) -> Path:
    """The file of keys: as the config says, else beside the log."""
    if config.keys.path:
        return Path(config.keys.path)
    folder = Path(config.log.path).parent if config.log.path else home(env)
    return folder / FILE_NAME


def admission_of(config: Config, ring: KeyRing) -> Admission:
    """What holds requests to the limits of their keys."""
    meter = SteadyMeter(ring.meter, time.time)
    return Admission(meter=meter, looks=config.policy.max_looks, fused=config.fusion.answers)


def gateway_keys(config: Config, env: Mapping[str, str], ring: KeyRing) -> Keys:
    """The keys that clients may show, and whether they must."""
    required = config.gateway.needs_keys
    texts = _of_environment(config, env) if required else ()
    return make_keys(texts, store=ring.store, required=required)


async def check_keys(config: Config, env: Mapping[str, str]) -> None:
    """Raise `Unready` where clients must show a key, there is none, and nobody could make one.

    In a database one can be made at any time from anywhere: there the gateway starts, closed.
    """
    gateway = config.gateway
    if not gateway.needs_keys or config.admin.port is not None or _of_environment(config, env):
        return
    ring = open_keys(config, env)
    try:
        made = await ring.store.list_all()
    finally:
        await ring.close()
    if any(key.revoked_at is None for key in made):
        return
    why = "" if gateway.keys_required else f" (host {gateway.host} is open to others)"
    told = (
        f"clients must show a key{why}, and {gateway.keys_env} holds none: make one with "
        "'emafusion keys make --name NAME', or set the variable to one or more, separated by commas"
    )
    if config.state.postgres_env is None:
        raise Unready(told)
    _log.warning("%s; nobody is let in until then", told)


def _of_environment(config: Config, env: Mapping[str, str]) -> tuple[str, ...]:
    texts = (text.strip() for text in env.get(config.gateway.keys_env, "").split(","))
    return tuple(text for text in texts if text)
