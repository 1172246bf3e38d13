"""mosquitto's configuration file, read as mosquitto does: pure."""

from __future__ import annotations

from dataclasses import dataclass, field

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BEGINS_LISTENER = "listener"


@dataclass(slots=True)
class Listener:
    """One listener: where, and the lines that follow it."""

    port: str
    host: str | None
    lines: dict[str, str] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it; a port of 0 is a local socket."""
        return self.port == "0" or self.host in LOOPBACK

    @property
    def encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return "certfile" in self.lines or "psk_hint" in self.lines


@dataclass(slots=True)
class Conf:
    """A whole file: general lines, listeners; the last line of a name counts."""

    general: dict[str, str]
    listeners: list[Listener]

    def get(self, name: str, listener: Listener | None = None) -> str | None:
        """Return a value; of a listener first, where it says so itself."""
        if listener is not None and name in listener.lines:
            return listener.lines[name]
        return self.general.get(name)

    def yes(self, name: str, listener: Listener | None = None) -> bool:
        """Tell whether a line says `true`."""
        return self.get(name, listener) == "true"

    def number(self, name: str, default: int) -> int | None:
        """Return a number, the default without a line, None when it is none."""
        text = self.general.get(name)
        if text is None:
            return default
        return int(text) if text.isdecimal() else None

    @property
    def spread(self) -> bool:
        """Whether other files say more, which are not read here."""
        return "include_dir" in self.general


_OF_LISTENER = frozenset(
    (
        "cafile",
        "capath",
        "certfile",
        "keyfile",
        "crlfile",
        "psk_hint",
        "require_certificate",
        "use_identity_as_username",
        "use_subject_as_username",
        "use_username_as_clientid",
        "tls_version",
        "protocol",
        "bind_interface",
        "mount_point",
        "max_connections",
        "max_qos",
    )
)
_PER_LISTENER = frozenset(
    ("allow_anonymous", "password_file", "acl_file", "plugin", "auth_plugin", "psk_file")
)


def parse(text: str) -> Conf:
    """Read a file. Nothing is refused: mosquitto itself says what it does not know."""
    general: dict[str, str] = {}
    listeners: list[Listener] = []
    apart = False
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        value = value.strip()
        if not name or name.startswith("#"):
            continue
        if name == "per_listener_settings":
            apart = value == "true"
        if name in {_BEGINS_LISTENER, "port"}:
            port, _, host = value.partition(" ")
            listeners.append(Listener(port, host.strip() or None))
        elif name == "bind_address" and listeners:
            listeners[-1].host = value
        elif listeners and (name in _OF_LISTENER or (apart and name in _PER_LISTENER)):
            listeners[-1].lines[name] = value
        else:
            general[name] = value
    return Conf(general, listeners)
