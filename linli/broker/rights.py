"""Who may write and read what, as mosquitto's rules: pure."""

from __future__ import annotations

from dataclasses import dataclass

from linli.broker.template import fill
from linli.topics import REQUEST_AREA, topic_filter


@dataclass(frozen=True, slots=True)
class Reader:
    """Another system that reads events, states and presence; in some areas, or in all.

    With `home_assistant` also readings, and what is told of devices under `homeassistant/`.
    """

    user: str
    areas: tuple[str, ...] = ()
    home_assistant: bool = False


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


def acl(rights: Rights) -> str:
    """Return the whole rule file, the same for the same rights."""
    lines: dict[str, list[str]] = {}
    for user in rights.askers:
        asked = topic_filter(rights.site, area=REQUEST_AREA, node=user, kind="command")
        lines.setdefault(user, []).append(f"topic write {asked}")
    for reader in rights.readers:
        lines.setdefault(reader.user, []).extend(_readable(rights.site, reader))
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
    lines = [f"topic read {one}" for one in found]
    if reader.home_assistant:
        lines += [
            "topic read homeassistant/device/+/config",
            "topic readwrite homeassistant/status",
        ]
    return lines
