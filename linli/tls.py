"""TLS to the broker, and as one: whom it trusts, and who it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from linli.errors import InputError
from linli.settings import Settings

if TYPE_CHECKING:
    import ssl


class TlsFiles(Settings, frozen=True, kw_only=True):
    """PEM files of a client: with `ca_file` it speaks TLS to a broker that this authority vouches
    for; with `cert_file` and `key_file` it shows its own certificate.
    """

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together; set both")
        if self.cert_file is not None and self.ca_file is None:
            raise ValueError("cert_file without ca_file; set ca_file as well")


def client_context(
    ca_file: str | None, cert_file: str | None = None, key_file: str | None = None
) -> ssl.SSLContext | None:
    """Return TLS that trusts `ca_file` alone, None without one: then the connection is plain.

    `cert_file` and `key_file` are the client's own, in PEM. Raises InputError that names a file.
    """
    if ca_file is None:
        return None
    import ssl  # noqa: PLC0415 - OpenSSL is 4 MB of a process that only reads settings

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(context, ca_file)
    if cert_file is not None and key_file is not None:
        _own(context, cert_file, key_file)
    return context


def server_context(cert_file: str, key_file: str, ca_file: str | None = None) -> ssl.SSLContext:
    """Return TLS of a listener that shows this certificate.

    With `ca_file` nobody gets in without one of that authority. Raises InputError.
    """
    import ssl  # noqa: PLC0415 - as above

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _own(context, cert_file, key_file)
    if ca_file is not None:
        _trust(context, ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _trust(context: ssl.SSLContext, ca_file: str) -> None:
    try:
        context.load_verify_locations(cafile=_there(ca_file))
    except OSError:
        raise InputError("holds no certificate in PEM", where=ca_file) from None


def _own(context: ssl.SSLContext, cert_file: str, key_file: str) -> None:
    try:
        context.load_cert_chain(_there(cert_file), _there(key_file))
    except OSError:
        raise InputError(
            "is no certificate in PEM, or not that of the key",
            where=cert_file,
            hint="Take both from one `linli broker issue`",
        ) from None


def _there(name: str) -> str:
    try:
        Path(name).open("rb").close()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=name) from None
    return name
