"""What the documentation is tried on: the fake provider, and a gateway in front of it."""

from tests.cli.conftest import empty, listing, provider, serve, shell

__all__ = ["empty", "listing", "provider", "serve", "shell"]
