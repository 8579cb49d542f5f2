"""TLS: the machine's own trusted authorities, nothing bundled."""

from __future__ import annotations

import ssl
from pathlib import Path

from emafusion.domain.errors import BadInput


class Trust:
    """Whose certificates are believed; reads them when first needed, once.

    Trusted are the system's authorities (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, which
    OpenSSL reads itself) and, in addition, those in `ca_file` (PEM).
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Give the context that verifies certificates and host names, for HTTP/1.1.

        Raises `BadInput` if `ca_file` cannot be used.
        """
        if self._context is None:
            self._context = self._load()
        return self._context

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        if self._ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except OSError as error:
                reason = error.strerror or "holds no certificate in PEM form"
                if isinstance(error, ssl.SSLError):
                    reason = "holds no certificate in PEM form"
                message = f"cannot read {self._ca_file}: {reason}"
                raise BadInput(message, where="ca_file") from None
        return context
