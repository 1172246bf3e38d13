"""Who may write and read what, as mosquitto's rules: pure."""

from __future__ import annotations

from dataclasses import dataclass

from linli.broker.template import fill
from linli.topics import (
    PREFIX,
    REQUEST_AREA,
    VERSION,
    district_prefix,
    districts_filter,
    topic_filter,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Another system that reads events, states and presence; in some areas, or in all.

    With `home_assistant` also readings, and what is told of devices under `homeassistant/`; with
    `district` also what communities tell their district.
    """

    user: str
    areas: tuple[str, ...] = ()
    home_assistant: bool = False
    district: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A community whose bridge writes here, below its own prefix alone, and reads nothing."""

    id: str
    path: str

    @property
    def user(self) -> str:
        """The name of its bridge."""
        return bridge_user(self.id)


def bridge_user(site: str) -> str:
    """Return by which name the bridge of a community comes to its district's broker."""
    return f"site-{site}"


@dataclass(frozen=True, slots=True)
class Rights:
    """Beyond what every edge and our own services may at `site`.

    `askers` may ask for commands. Those who are `barred` may nothing: that also silences, with
    the next SIGHUP, a connection which is still up.
    """

    site: str
    askers: tuple[str, ...] = ()
    readers: tuple[Reader, ...] = ()
    barred: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()


def acl(rights: Rights) -> str:
    """Return the whole rule file, the same for the same rights."""
    lines: dict[str, list[str]] = {}
    for user in rights.askers:
        asked = topic_filter(rights.site, area=REQUEST_AREA, node=user, kind="command")
        lines.setdefault(user, []).append(f"topic write {asked}")
    for reader in rights.readers:
        lines.setdefault(reader.user, []).extend(_readable(rights.site, reader))
    for one in rights.sites:
        # The patterns would let it speak as a box here, and hear what is written to one.
        lines[one.user] = [
            f"topic deny {PREFIX}/{VERSION}/{rights.site}/#",
            # Two levels: a bridge that sent raw topics, which are longer, would be refused.
            f"topic write {district_prefix(one.path, one.id)}+/+",
        ]
    lines.update((user, ["topic deny #"]) for user in rights.barred)
    blocks = ("\n".join(("", f"user {user}", *lines[user], "")) for user in sorted(lines))
    return fill("acl.conf", site=rights.site) + "".join(blocks)


def _readable(site: str, reader: Reader) -> list[str]:
    found = []
    for area in reader.areas or ("+",):
        found += [
            topic_filter(site, area=area, kind="event"),
            topic_filter(site, area=area, kind="state"),
            topic_filter(site, area=area, device="self", kind="health", name="status"),
        ]
        if reader.home_assistant:
            found.append(topic_filter(site, area=area, kind="telemetry"))
    if reader.district:
        found.append(districts_filter())
    lines = [f"topic read {one}" for one in found]
    if reader.home_assistant:
        lines += [
            "topic read homeassistant/device/+/config",
            "topic readwrite homeassistant/status",
        ]
    return lines
