"""The scripts here run each in an environment of its own: `scripts/clients`."""

from __future__ import annotations

collect_ignore_glob = ["*_client.py"]
