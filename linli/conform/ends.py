"""Both ends of a trial's TLS: what it shows to whom is tried, and what it shows to the broker."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from linli.errors import InputError
from linli.tls import client_context, server_context


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files: `listen_*` for whom is tried, the others for the broker.

    There `ca` is trusted; `cert` and `key` are ours, `their_cert` and `their_key` those under which
    the tried one goes on to it.
    """

    listen_cert: str | None = None
    listen_key: str | None = None
    listen_ca: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    their_cert: str | None = None
    their_key: str | None = None

    def ends(self) -> Ends:
        """Read them. Raises InputError that names what is missing or no good."""
        _together("--listen-cert", self.listen_cert, "--listen-key", self.listen_key)
        _together("--cert-file", self.cert, "--key-file", self.key)
        _together("--their-cert", self.their_cert, "--their-key", self.their_key)
        if self.listen_ca is not None and self.listen_cert is None:
            raise InputError("needs --listen-cert and --listen-key", where="--listen-ca")
        if self.ca is None and (self.cert is not None or self.their_cert is not None):
            raise InputError("certificates for a broker need --ca-file", where="--ca-file")
        near = None
        if self.listen_cert is not None and self.listen_key is not None:
            near = server_context(self.listen_cert, self.listen_key, self.listen_ca)
        return Ends(
            near=near,
            far=client_context(self.ca, self.their_cert, self.their_key),
            voice=client_context(self.ca, self.cert, self.key),
        )


@dataclass(frozen=True, slots=True)
class Ends:
    """TLS towards whom is tried, on to the broker in its name, and of our own; None is plain."""

    near: ssl.SSLContext | None = field(default=None, repr=False)
    far: ssl.SSLContext | None = field(default=None, repr=False)
    voice: ssl.SSLContext | None = field(default=None, repr=False)


def name_in(shaken: ssl.SSLSocket) -> str | None:
    """Return the common name of the other side's certificate, None without one.

    Brokers take that for the user, whatever CONNECT says.
    """
    subject: Any = (shaken.getpeercert() or {}).get("subject", ())
    for part in subject:
        for key, value in part:
            if key == "commonName":
                return str(value)
    return None


def _together(one: str, first: str | None, other: str, second: str | None) -> None:
    if (first is None) != (second is None):
        raise InputError(f"goes together with {other}", where=one, hint="Give both or neither")
