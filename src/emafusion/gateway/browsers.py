"""Pages of the web that ask from within somebody's browser.

Where no key is needed, whoever can reach the port may ask, and any page that a person opens can
make their browser reach it: it cannot read the answer, but the question costs money. Browsers say
which page it was, and no page can keep them from it.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Head

_NEAR = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Ends of names that nobody on the internet can own."""


class ForeignPage(BadInput):
    """A page from somewhere else wants something of a gateway that asks for no key."""

    status = 403
    code = "foreign_page"


def refuse_foreign(head: Head, /) -> None:
    """Raise `ForeignPage` where a page that is not of this machine or network is asking.

    Programs that are no browsers say nothing of a page; apps and extensions have schemes of their
    own, which no page can take.
    """
    origin = head.headers.get("origin")
    if origin is not None and not is_near(origin):
        told = f"asked by a page of {origin[:80]!r}; pages from elsewhere need a gateway key"
        raise ForeignPage(f"{told} (gateway.keys_required)", where="origin")


def is_near(origin: str, /) -> bool:
    """Whether an origin is an app, or a page of this machine or network.

    >>> [is_near(each) for each in ("http://localhost:3000", "http://10.0.0.7", "app://notes")]
    [True, True, True]
    >>> [is_near(each) for each in ("https://example.com", "null", "http://8.8.8.8")]
    [False, False, False]
    """
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"}:
        return bool(parts.scheme)
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(_NEAR))
