"""`ingest.toml`: everything an ingest can be told, with its defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from linli.errors import InputError
from linli.events import Slug
from linli.settings import Settings, load, read_secret

Port = Annotated[int, Meta(ge=1, le=65535)]
Days = Annotated[int, Meta(ge=1, le=3650)]
JOURNAL_DAYS = 8
CLIENT_ID = "svc-ingest"
WAKE = "LINLI_WAKE"  # names the pipe by which the receiver wakes the web process


class Site(Settings, frozen=True, kw_only=True):
    """The community this ingest serves; pages show times in its `timezone` (an IANA name)."""

    id: Slug
    label: Annotated[str, Meta(min_length=1, max_length=64)]
    timezone: Annotated[str, Meta(min_length=1, max_length=64)] = "Asia/Shanghai"


class Mqtt(Settings, frozen=True, kw_only=True):
    """How the receiver reaches the broker."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password_file: str | None = None
    protocol: Literal["5", "3.1.1"] = "5"


class Http(Settings, frozen=True, kw_only=True):
    """Where pages and API are served; `path_prefix` is what a proxy in front puts before them."""

    host: str = "127.0.0.1"
    port: Port = 8470
    path_prefix: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._~-]+)*$", max_length=128)] = ""


class Evidence(Settings, frozen=True, kw_only=True):
    """How long and how much of the redacted pictures is kept."""

    days: Days = 30
    max_bytes: Annotated[int, Meta(ge=2 * 1024 * 1024)] = 20 * 1024**3


class Journal(Settings, frozen=True, kw_only=True):
    """How long accepted messages can be replayed; an edge may resend for seven days."""

    days: Annotated[int, Meta(ge=JOURNAL_DAYS, le=3650)] = JOURNAL_DAYS


class IngestSettings(Settings, frozen=True, kw_only=True):
    """The whole file; `load_settings` has made its paths whole."""

    data: Annotated[str, Meta(min_length=1)] = "data"
    site: Site
    mqtt: Mqtt = Mqtt()
    http: Http = Http()
    evidence: Evidence = Evidence()
    journal: Journal = Journal()

    @property
    def folder(self) -> Path:
        """The folder that holds the databases and the pictures."""
        return Path(self.data)

    def mqtt_password(self) -> str | None:
        """Return the broker password, None when there is none. Raises InputError."""
        name = self.mqtt.password_file
        return read_secret(Path(name)) if name is not None else None


def load_settings(path: Path) -> IngestSettings:
    """Read `ingest.toml`. Raises InputError that says where, which rule and which value."""
    settings = load(path, IngestSettings)
    mqtt = settings.mqtt
    try:
        ZoneInfo(settings.site.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"no time zone {settings.site.timezone!r}",
            where=f"{path}: site.timezone",
            hint="Use an IANA name such as Asia/Shanghai; the system may lack the package tzdata",
        ) from None
    if mqtt.password_file is not None:
        if mqtt.username is None:
            raise InputError(
                "password_file without username", where=f"{path}: mqtt", hint="Set mqtt.username"
            )
        mqtt = msgspec.structs.replace(mqtt, password_file=_beside(path, mqtt.password_file))
    return msgspec.structs.replace(settings, data=_beside(path, settings.data), mqtt=mqtt)


def _beside(path: Path, name: str) -> str:
    return str(path.resolve().parent / Path(name).expanduser())
