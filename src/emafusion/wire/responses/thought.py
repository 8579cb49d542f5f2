"""What a model thought, on its way to the client and back.

A client that keeps nothing here (`store: false`) may ask for `reasoning.encrypted_content`, and
sends it back with the next turn. It is not secret from the client, who gets the same text beside
it: the form only keeps clients, which drop what they do not know, from dropping it.
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.wire import faults
from emafusion.wire.responses.params import ItemParam

_MARK = "emt1."


class _Text(Struct):
    text: str


class _Kept(Struct):
    text: str


def seal(text: str, /) -> str:
    """Put a thought into one word, as `encrypted_content` is.

    >>> unseal(seal("So 4."))
    'So 4.'
    """
    data = msgspec.json.encode(_Kept(text=text))
    return _MARK + base64.urlsafe_b64encode(data).decode().rstrip("=")


def unseal(sealed: str, /) -> str | None:
    """Take the thought out; None where the word is not one of ours."""
    if not sealed.startswith(_MARK):
        return None
    data = sealed.removeprefix(_MARK)
    try:
        plain = base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(plain, type=_Kept).text
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def thought_of(item: ItemParam, where: str) -> str:
    """Read an item `reasoning`: its own text, else the sealed one, else its summary.

    Raises `BadInput` for a sealed one that was not made here: it cannot be read, and a model that
    does not get it would go on without its own thoughts.
    """
    content = item.content if isinstance(item.content, list) else None
    if item.content is not None and content is None:
        raise BadInput("expected an array of parts", where=f"{where}.content")
    if content:
        return _joined(content, f"{where}.content")
    if item.encrypted_content is not None:
        text = unseal(item.encrypted_content)
        if text is None:
            what = "was not made here, so it cannot be read; leave this item out"
            raise BadInput(what, where=f"{where}.encrypted_content")
        return text
    return _joined(item.summary or [], f"{where}.summary")


def _joined(parts: list[Raw], where: str) -> str:
    texts = [faults.decode(raw, _Text, where=f"{where}[{n}]") for n, raw in enumerate(parts)]
    return "\n\n".join(part.text for part in texts)
