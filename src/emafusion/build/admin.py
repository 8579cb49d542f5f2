"""The admin API of a gateway, as the config has it."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.build.opening import Opened
from emafusion.config import Config
from emafusion.domain.errors import Unready
from emafusion.gateway.admin import AdminApp, admin_token
from emafusion.gateway.key_desk import KeyDesk


def admin_app(config: Config, env: Mapping[str, str], gateway: Opened) -> AdminApp | None:
    """Make it; None where the config names no port for it.

    Raises `Unready` where its token is missing, short, or a client's key too.
    """
    if config.admin.port is None:
        return None
    name, keys_name = config.admin.token_env, config.gateway.keys_env
    text = env.get(name, "").strip()
    token = admin_token(text, where=name)
    if text in {key.strip() for key in env.get(keys_name, "").split(",")}:
        raise Unready(f"{name} is in {keys_name} too: clients would be administrators")
    pool = frozenset(c.name for c in gateway.service.candidates)
    desk = KeyDesk(store=gateway.keys.store, meter=gateway.keys.meter, pool=pool)
    return AdminApp(service=gateway.service, desk=desk, token=token)
