"""`[broker]` of `ingest.toml`: the broker of this community, as `linli broker` renders it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from linli.events import Slug
from linli.settings import Settings
from linli.topics import ID_PATTERN

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# What stands in a line of mosquitto's configuration holds no line break.
_Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/@-]+$(?!\n)", max_length=255)]

_Path = Annotated[str, Meta(pattern=rf"^{ID_PATTERN}/{ID_PATTERN}$(?!\n)", max_length=65)]


class BrokerReader(Settings, frozen=True, kw_only=True):
    """Another system that reads events, states and presence: of some areas, or of the site.

    With `home_assistant` also readings, and what the ingest tells Home Assistant of devices; with
    `district` also what the `sites` tell.
    """

    user: Slug
    areas: Annotated[tuple[Slug, ...], Meta(max_length=256)] = ()
    home_assistant: bool = False
    district: bool = False


class BrokerBridge(Settings, frozen=True, kw_only=True):
    """A district's broker, to which this one passes what the community shares.

    `path` is the district's code and the street's.
    """

    host: _Word
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    path: _Path


class BrokerSite(Settings, frozen=True, kw_only=True):
    """A community whose broker passes to this one what it shares."""

    id: Slug
    path: _Path


class Broker(Settings, frozen=True, kw_only=True):
    """Where its files are, where it listens, how identities prove themselves.

    `public` is the name by which boxes reach it; without, that of the ingest.
    Without `tls` it listens on this machine alone. `run_as` is the account that mosquitto runs
    as; `plugin` is mosquitto 2.1's own, which keeps sessions in SQLite.
    """

    folder: Annotated[str, Meta(min_length=1, pattern=r"^[^\r\n]+$(?!\n)")] = "broker"
    host: _Word = "0.0.0.0"  # noqa: S104 - the edges are elsewhere
    public: _Word | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    access: Literal["certificates", "passwords"] = "certificates"
    tls: bool = True
    run_as: _Word = "mosquitto"
    version: Literal["2.0", "2.1"] = "2.0"
    plugin: _Word = "/usr/lib/mosquitto_persist_sqlite.so"
    readers: Annotated[tuple[BrokerReader, ...], Meta(max_length=64)] = ()
    bridge: BrokerBridge | None = None
    sites: Annotated[tuple[BrokerSite, ...], Meta(max_length=1024)] = ()

    def __post_init__(self) -> None:
        if len({one.id for one in self.sites}) < len(self.sites):
            raise ValueError("sites: a community is named twice")
        if self.sites and self.access != "certificates":
            raise ValueError("sites: a bridge comes with a certificate, so does everybody else")
        if self.tls:
            return
        if self.host not in _LOOPBACK:
            raise ValueError(f"host: {self.host!r} without tls lets anyone read along")
        if self.access == "certificates":
            raise ValueError("access: certificates need tls")
