"""Whether a server could listen somewhere on this machine."""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket

from linli.errors import InputError


def check_port(host: str, port: int) -> None:
    """Raise InputError unless a server could listen there now; it tells host from port."""
    try:
        _bind(host, port)
    except (OSError, UnicodeError) as error:
        what, option = _explain(error, host, port)
        raise InputError(
            what, where=f"{host}:{port}", hint=f"Choose another with {option}"
        ) from None


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now."""
    try:
        _bind(host, port)
    except (OSError, UnicodeError):
        return False
    return True


_LISTENERS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections, which come and go all the time."""
_TRIES = 50


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on at this moment, and that no connection soon takes."""
    for port in secrets.SystemRandom().sample(_LISTENERS, _TRIES):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((host, port))
            return port
    with socket.socket() as probe:
        probe.bind((host, 0))
        number: int = probe.getsockname()[1]
    return number


def _bind(host: str, port: int) -> None:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _explain(error: OSError | UnicodeError, host: str, port: int) -> tuple[str, str]:
    """Return what is wrong and the option that mends it."""
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"the host {host!r} cannot be resolved", "--host"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use", "--port"
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}", "--port"
    return f"cannot listen there ({error.strerror})", "--host"
