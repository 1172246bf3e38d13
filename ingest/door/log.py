"""Who was not let in, read from mosquitto's own words: pure.

mosquitto 2.0 names the address when somebody connects and not when it is turned away; 2.1 names it
then, too, calls a client without a name by its address, and says what was wrong with TLS in the
line before, under `log/E`. A name that a client gives itself is never read for an address: lines
are taken by how they begin and end, what mosquitto says once is said once, and an address beside a
client without a name counts only where somebody knocked from there.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from ipaddress import ip_address
from typing import Literal, NamedTuple

Reason = Literal["name", "tls", "protocol"]
REASONS: tuple[Reason, ...] = ("name", "tls", "protocol")
MOST_KNOCKING = 256

_STAMP = re.compile(r"^\d+: ")
_NEW = re.compile(r"New connection from (\S+):(\d+) on port \d+\.")
_IN = re.compile(r"New client connected from (\S+):(\d+) as .*")
_FAILED = re.compile(
    r"Client connection from (\S+) failed: (error:(?:(?!disconnect|closed its).)*)"
)
_OPENSSL = re.compile(r"OpenSSL Error [^:]*: (error:.*)")
_CUT = re.compile(r"Client .* \[(\S+):(\d+)\] disconnected: ([Pp])rotocol error\.")
_NAMED = re.compile(r"Client .* \[(\S+):(\d+)\] disconnected: not authorised\.")
_TURNED_AWAY = re.compile(r"Client .* disconnected, not authorised\.")
_NOBODY = re.compile(
    r"Client <unknown> (?:\[(\S+):(\d+)\] )?"
    r"(has exceeded timeout, disconnecting\.|disconnected(?:(?!disconnect).)*)"
)
_LOOKED_IN = "unexpected eof"
"""A connection that says nothing and goes: whoever looks whether the port is open."""


class Refusal(NamedTuple):
    """Somebody was not let in. `sure` is False where another may have knocked at that moment.

    `reason`: no or a wrong name or password; no or a wrong certificate, or no TLS; not MQTT.
    """

    address: str
    reason: Reason
    sure: bool = True


class Door:
    """Follows the lines of one broker, in their order."""

    def __init__(self) -> None:
        self._knocking: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._broken = ""

    def read(self, line: str) -> Refusal | None:
        """Take one line; return who was not let in, if it says so."""
        said = _STAMP.sub("", line)
        broken, self._broken = self._broken, ""
        if found := _NEW.fullmatch(said):
            self._knocking[found[1], found[2]] = None
            while len(self._knocking) > MOST_KNOCKING:
                self._knocking.popitem(last=False)
        elif found := _IN.fullmatch(said):
            self._knocking.pop((found[1], found[2]), None)
        elif found := _FAILED.fullmatch(said):
            return None if _LOOKED_IN in found[2] else Refusal(_host(found[1]), "tls")
        elif found := _OPENSSL.fullmatch(said):
            self._broken = found[1]
        elif (found := _CUT.fullmatch(said)) and (found[1], found[2]) in self._knocking:
            return self._cut(found, broken)
        elif found := _NAMED.fullmatch(said):
            self._knocking.pop((found[1], found[2]), None)
            return Refusal(found[1], "name")
        elif _TURNED_AWAY.fullmatch(said):
            return self._newest("name")
        elif found := _NOBODY.fullmatch(said):
            return self._nobody(found)
        return None

    def _cut(self, found: re.Match[str], broken: str) -> Refusal | None:
        """Return the refusal of who was cut off; `broken`: what was wrong with its TLS."""
        del self._knocking[found[1], found[2]]
        if _LOOKED_IN in broken:
            return None
        return Refusal(found[1], "tls" if found[3] == "P" else "protocol")

    def _nobody(self, found: re.Match[str]) -> Refusal | None:
        """Return the refusal of a client that never said its name, if it is one."""
        if "timeout" in found[3]:
            if self._knocking:
                self._knocking.popitem(last=False)
            return None
        if (found[1], found[2]) in self._knocking:
            del self._knocking[found[1], found[2]]
            known = Refusal(found[1], "protocol")
        else:
            known = self._newest("protocol")
        if "due to protocol error" in found[3] or "malformed" in found[3]:
            return known
        return known._replace(reason="tls") if "rotocol error" in found[3] else None

    def _newest(self, reason: Reason) -> Refusal:
        hosts = {host for host, _ in self._knocking}
        if not hosts:
            return Refusal("", reason, sure=False)
        (host, _), _ = self._knocking.popitem()
        return Refusal(host, reason, sure=len(hosts) == 1)


def _host(text: str) -> str:
    """Return an address without its port, which only some versions name."""
    try:
        ip_address(text)
    except ValueError:
        return text.rpartition(":")[0] or text
    return text
