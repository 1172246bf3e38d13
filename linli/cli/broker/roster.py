"""Who the community's broker lets in, from the registry and the settings of the ingest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.registry import book
from ingest.settings import CLIENT_ID, IngestSettings
from linli.broker.authority import LIST, Authority
from linli.broker.rights import Reader, Rights, Site
from linli.broker.server import Bridge, Server
from linli.cli.ingest.folder import state
from linli.errors import InputError
from linli.topics import DISTRICTS

COMMANDER = "svc-command"
DISCOVERER = "svc-discovery"
WATCHER = "svc-watch"
SHARER = "svc-share"
_OURS = frozenset({CLIENT_ID, COMMANDER, DISCOVERER, WATCHER, SHARER})


@dataclass(frozen=True, slots=True)
class Roster:
    """Identities that are let in, in order of their names, and what each may.

    `edges` are those in use that joined or were registered, `others` names of our services, whether
    they run or not, and of other systems.
    """

    identities: tuple[str, ...]
    edges: frozenset[str]
    others: frozenset[str]
    rights: Rights


def server_of(settings: IngestSettings) -> Server:
    """Return the broker that the settings describe."""
    broker = settings.broker
    return Server(
        folder=Path(broker.folder),
        host=broker.host,
        port=broker.port,
        access=broker.access,
        tls=broker.tls,
        run_as=broker.run_as,
        version=broker.version,
        plugin=broker.plugin,
        bridge=None
        if broker.bridge is None
        else Bridge(settings.site.id, broker.bridge.host, broker.bridge.port, broker.bridge.path),
    )


def roster_of(settings: IngestSettings) -> Roster:
    """Return who is let in: services, edges in use, readers, askers. Raises InputError."""
    _check_user("mqtt.username", settings.mqtt.username, CLIENT_ID)
    _check_user("commands.username", settings.commands.username, COMMANDER)
    _check_user("home_assistant.username", settings.home_assistant.username, DISCOVERER)
    _check_user("watch.username", settings.watch.username, WATCHER)
    _check_user("share.username", settings.share.username, SHARER)
    with state(settings) as connection:
        edges = book.some(connection, "edge", retired=True)
    readers = tuple(
        Reader(one.user, one.areas, one.home_assistant, one.district)
        for one in settings.broker.readers
    )
    sites = tuple(Site(one.id, one.path) for one in settings.broker.sites)
    askers = tuple(one.user for one in settings.commands.integrators)
    services = (
        CLIENT_ID,
        *((COMMANDER,) if settings.commands.enabled else ()),
        *((DISCOVERER,) if settings.home_assistant.enabled else ()),
        *((WATCHER,) if settings.watch.enabled else ()),
        *((SHARER,) if settings.share.enabled or settings.broker.bridge is not None else ()),
    )
    others = {*askers, *(one.user for one in readers)}
    bridges = {one.user for one in sites}
    names = {one.id for one in edges}
    _check_apart(others, names | bridges)
    _check_apart(bridges, names)
    if sites and settings.site.id == DISTRICTS:
        raise InputError("what communities share is kept under that name", where="site.id")
    others |= bridges
    shut_out = _shut_out(settings)
    used = frozenset(one.id for one in edges if not one.retired)
    return Roster(
        identities=tuple(sorted({*services, *used, *others})),
        edges=used,
        others=_OURS | others,
        rights=Rights(
            site=settings.site.id,
            askers=askers,
            readers=readers,
            sites=sites,
            barred=tuple(one.id for one in edges if one.retired or one.id in shut_out),
        ),
    )


def _shut_out(settings: IngestSettings) -> frozenset[str]:
    """Return names of which every certificate is revoked: a connection that is up is silenced."""
    folder = Path(settings.broker.folder) / "ca"
    if settings.broker.access == "passwords" or not (folder / LIST).exists():
        return frozenset()
    entries = Authority(folder).entries()
    standing = {one.name for one in entries if one.revoked is None}
    return frozenset(one.name for one in entries) - standing


def _check_user(where: str, user: str | None, ours: str) -> None:
    if user not in {None, ours}:
        raise InputError(
            f"the broker's rules call it {ours!r}, not {user!r}", where=where, hint=f"Set {ours}"
        )


def _check_apart(others: set[str], edges: set[str]) -> None:
    twice = sorted(others & (edges | _OURS))
    if twice:
        raise InputError(
            f"{twice[0]!r} is an edge or a service already",
            where="broker.readers, broker.sites or commands.integrators",
            hint="Give every other system a user of its own",
        )
