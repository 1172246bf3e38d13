"""`ingest.toml`: everything an ingest can be told, with its defaults."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from ingest.backup_settings import Backup
from ingest.broker_settings import Broker
from ingest.notify_settings import Notify
from ingest.notify_settings import checked as notify_checked
from linli.commands import CommandName
from linli.errors import InputError
from linli.events import Slug
from linli.settings import Settings, as_token, is_web_address, load, read_secret
from linli.tls import TlsFiles

Port = Annotated[int, Meta(ge=1, le=65535)]
Days = Annotated[int, Meta(ge=1, le=3650)]
WebAddress = Annotated[
    str, Meta(pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$", min_length=8, max_length=256)
]
JOURNAL_DAYS = 8
CLIENT_ID = "svc-ingest"
WAKE = "LINLI_WAKE"  # names the pipe by which the receiver wakes the web process


T = TypeVar("T", bound=Settings)
U = TypeVar("U", bound="OwnUser")
PlacePath = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}(/[a-z0-9-]{1,32}){0,3}$")]


class Site(Settings, frozen=True, kw_only=True):
    """The community this ingest serves; pages show times in its `timezone` (an IANA name).

    `walk` is the way that staff walk: places of the registry, one after the other.
    """

    id: Slug
    label: Annotated[str, Meta(min_length=1, max_length=64)]
    timezone: Annotated[str, Meta(min_length=1, max_length=64)] = "Asia/Shanghai"
    walk: Annotated[tuple[PlacePath, ...], Meta(max_length=1000)] = ()

    @property
    def way(self) -> tuple[str, ...]:
        """The walk by whole paths of the registry."""
        return tuple(f"{self.id}/{step}" for step in self.walk)


class Mqtt(TlsFiles, frozen=True, kw_only=True):
    """How the receiver reaches the broker; without `ca_file` nothing is encrypted."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password_file: str | None = None
    protocol: Literal["5", "3.1.1"] = "5"


class Http(Settings, frozen=True, kw_only=True):
    """Where pages and API are served; `path_prefix` is what a proxy in front puts before them.

    `metrics` says who may read `/metrics`: with an API token, or any caller on this machine that
    no proxy speaks for. `proxies` are addresses or networks whose word (`X-Forwarded-For`,
    `X-Forwarded-Proto`) is believed: without them all who come by a proxy are one address, and
    cookies do not know of its TLS.
    """

    host: str = "127.0.0.1"
    port: Port = 8470
    metrics: Literal["token", "loopback"] = "token"
    path_prefix: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._~-]+)*$", max_length=128)] = ""
    proxies: Annotated[tuple[str, ...], Meta(max_length=16)] = ()

    def __post_init__(self) -> None:
        for one in self.proxies:
            try:
                ip_network(one)
            except ValueError:
                raise ValueError(f"proxies: {one!r} is no address or network") from None


class Evidence(Settings, frozen=True, kw_only=True):
    """How long and how much of the redacted pictures is kept.

    `safety_days` is for incidents about safety, `false_alarm_days` for what people said was none.
    An edge may say that its pictures go sooner; nothing is kept longer than the edge said.
    """

    days: Days = 30
    safety_days: Days = 90
    false_alarm_days: Days = 7
    max_bytes: Annotated[int, Meta(ge=2 * 1024 * 1024)] = 20 * 1024**3


class Disk(Settings, frozen=True, kw_only=True):
    """How much of the server's disk stays free: with less, the oldest of what is worth least goes.

    People are told when twice as much is left. Beside the limits of `series` and `evidence`, which
    hold with an empty disk too. At least what is for events alone, at most half of the disk.
    """

    least_free: Annotated[int, Meta(ge=256 * 1024**2)] = 1024**3


class Journal(Settings, frozen=True, kw_only=True):
    """How long accepted messages can be replayed; an edge may resend for seven days."""

    days: Annotated[int, Meta(ge=JOURNAL_DAYS, le=3650)] = JOURNAL_DAYS


class DatabaseSettings(Settings, frozen=True, kw_only=True):
    """A PostgreSQL for journal, state and series; without `url` they are files in `data`.

    `url` is postgresql://user@host:port/name, with parameters of libpq behind a question mark.
    """

    url: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None
    password_file: str | None = None


class Influx(Settings, frozen=True, kw_only=True):
    """An InfluxDB that gets a copy of everything; without `url` there is none.

    `api` is the way of writing: v2 for InfluxDB 2, 3 and 1.8, v1 for older ones. `bucket` is the
    database where there are no buckets, as `db` or `db/policy`. `token_file` holds the token, or
    the password of `username`. `charts`: read charts from it instead of from our own series.
    """

    url: WebAddress | None = None
    api: Literal["v2", "v1"] = "v2"
    org: Annotated[str, Meta(min_length=1, max_length=128)] = "linli"
    bucket: Annotated[str, Meta(min_length=1, max_length=128)] = "linli"
    username: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    token_file: str | None = None
    charts: bool = False

    def __post_init__(self) -> None:
        if self.url is not None and not is_web_address(self.url):
            raise ValueError(f"url: {self.url!r} is no address")

    def token(self) -> str | None:
        """Return the token or password, None when there is none. Raises InputError."""
        if self.token_file is None:
            return None
        secret = read_secret(Path(self.token_file))
        return secret if self.username is not None else as_token(secret, self.token_file)


class Series(Settings, frozen=True, kw_only=True):
    """How long single readings and their five-minute means are kept, and how large they may get.

    When there is no more room, the oldest single readings go first, means last. Those of
    `gather_seconds` are written together: so late charts may be, and so much less is written.
    """

    raw_days: Days = 30
    rollup_days: Days = 1095
    max_bytes: Annotated[int, Meta(ge=64 * 1024**2)] = 40 * 1024**3
    gather_seconds: Annotated[float, Meta(ge=0, le=45)] = 30.0


class Integrator(Settings, frozen=True, kw_only=True):
    """Another system that may ask for commands, as this `user` of the broker.

    `devices` are written node/device; without any it may ask all.
    """

    user: Slug
    commands: Annotated[tuple[CommandName, ...], Meta(min_length=1, max_length=8)]
    devices: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}/[a-z0-9-]{1,32}$")], ...],
        Meta(max_length=256),
    ] = ()


class OwnUser(Settings, frozen=True, kw_only=True):
    """A part of the ingest that comes to the broker as a user of its own."""

    enabled: bool = False
    username: str | None = None
    password_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together; set both")

    def password(self) -> str | None:
        """Return the broker password, None when there is none. Raises InputError."""
        return read_secret(Path(self.password_file)) if self.password_file is not None else None


class Commands(OwnUser, frozen=True, kw_only=True):
    """Whether people may send commands to devices; by a user of the broker that only does that."""

    integrators: Annotated[tuple[Integrator, ...], Meta(max_length=16)] = ()


class HomeAssistant(OwnUser, frozen=True, kw_only=True):
    """Whether Home Assistant is told of the devices; by a user of the broker that only does that.

    Its own user at the broker is a reader with `home_assistant`.
    """


class Notice(Settings, frozen=True, kw_only=True):
    """What the public notice and the sign say: who answers for it, whom to ask, what it is for.

    Without `purpose` a general one stands there, without `operator` the property management.
    """

    operator: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    contact: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    purpose: Annotated[str, Meta(min_length=1, max_length=400)] | None = None


class Watch(OwnUser, frozen=True, kw_only=True):
    """Whether the broker's log is listened to: who is not let in, how much it retains.

    By a user of the broker that only does that.
    """


class Share(OwnUser, frozen=True, kw_only=True):
    """Whether the district is told what is over, and how many things there are.

    By a user of the broker that only does that; `[broker.bridge]` carries it up.
    """


class Rate(Settings, frozen=True, kw_only=True):
    """How fast each node may go, in messages per second; a faster one gets its receipts later."""

    messages: Annotated[float, Meta(ge=1, le=1_000_000)] = 50.0
    burst: Annotated[float, Meta(ge=100, le=1_000_000)] = 500.0


class IngestSettings(Settings, frozen=True, kw_only=True):
    """The whole file; `load_settings` has made its paths whole."""

    data: Annotated[str, Meta(min_length=1)] = "data"
    site: Site
    mqtt: Mqtt = Mqtt()
    broker: Broker = Broker()
    home_assistant: HomeAssistant = HomeAssistant()
    http: Http = Http()
    evidence: Evidence = Evidence()
    disk: Disk = Disk()
    journal: Journal = Journal()
    rate: Rate = Rate()
    series: Series = Series()
    influx: Influx = Influx()
    database: DatabaseSettings = DatabaseSettings()
    notice: Notice = Notice()
    notify: Notify = Notify()
    commands: Commands = Commands()
    watch: Watch = Watch()
    share: Share = Share()
    backup: Backup = Backup()

    @property
    def folder(self) -> Path:
        """The folder that holds the databases and the pictures."""
        return Path(self.data)

    def database_password(self) -> str | None:
        """Return the database password, None when none is set beside the URL. Raises InputError."""
        name = self.database.password_file
        return read_secret(Path(name)) if name is not None else None

    def mqtt_password(self) -> str | None:
        """Return the broker password, None when there is none. Raises InputError."""
        name = self.mqtt.password_file
        return read_secret(Path(name)) if name is not None else None


def load_settings(path: Path) -> IngestSettings:
    """Read `ingest.toml`. Raises InputError that says where, which rule and which value."""
    settings = load(path, IngestSettings)
    mqtt = settings.mqtt
    if settings.series.rollup_days < settings.series.raw_days:
        raise InputError(
            f"{settings.series.rollup_days} is less than raw_days",
            where=f"{path}: series.rollup_days",
            hint="Means are what stays when single readings go",
        )
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
    mqtt = _files_beside(path, mqtt, ("ca_file", "cert_file", "key_file"))
    return msgspec.structs.replace(
        settings,
        commands=_own_user(path, settings.commands, "commands", "svc-command"),
        home_assistant=_own_user(path, settings.home_assistant, "home_assistant", "svc-discovery"),
        watch=_own_user(path, settings.watch, "watch", "svc-watch"),
        share=_own_user(path, settings.share, "share", "svc-share"),
        data=_beside(path, settings.data),
        mqtt=mqtt,
        broker=msgspec.structs.replace(
            settings.broker, folder=_beside(path, settings.broker.folder)
        ),
        influx=_influx(path, settings.influx),
        database=_checked(path, settings.database),
        backup=_backup(path, settings.backup),
        notify=notify_checked(path, settings.notify, lambda name: _beside(path, name)),
    )


def _influx(path: Path, influx: Influx) -> Influx:
    """Return it with a whole path. Raises InputError for parts that make no whole."""
    if influx.url is None and influx != Influx():
        hint = "As in http://127.0.0.1:8086"
        raise InputError("settings without url", where=f"{path}: influx", hint=hint)
    if influx.username is not None and influx.token_file is None:
        hint = "Put the password into a file and name it"
        raise InputError("username without token_file", where=f"{path}: influx", hint=hint)
    if influx.token_file is None:
        return influx
    return msgspec.structs.replace(influx, token_file=_beside(path, influx.token_file))


def _checked(path: Path, database: DatabaseSettings) -> DatabaseSettings:
    """Return the database with a whole path; an address that is refused is never repeated."""
    where, hint = f"{path}: database", "As in postgresql://linli@127.0.0.1:5432/linli"
    if database.url is None:
        if database.password_file is not None:
            raise InputError("password_file without url", where=where, hint=hint)
        return database
    try:
        address = urlsplit(database.url)
        named = address.scheme in {"postgresql", "postgres"} and len(address.path) > 1
        password, _ = address.password, address.port  # a port that is no number is found here
    except ValueError:
        named, password = False, None
    if not named:
        rule = "not the address of a PostgreSQL database"
        raise InputError(rule, where=f"{where}.url", hint=hint)
    if database.password_file is None:
        return database
    if password is not None:
        raise InputError("a password in url and a password_file", where=where, hint="Keep one")
    return msgspec.structs.replace(database, password_file=_beside(path, database.password_file))


def _backup(path: Path, backup: Backup) -> Backup:
    """Return it with whole paths."""
    places = (_files_beside(path, one, ("key_file", "secret_file")) for one in backup.places)
    whole = tuple(
        msgspec.structs.replace(one, to=_beside(path, one.to)) if one.kind == "folder" else one
        for one in places
    )
    return msgspec.structs.replace(backup, places=whole)


def _own_user(path: Path, part: U, where: str, user: str) -> U:
    """Return it with whole paths. Raises InputError."""
    if part.password_file is not None and part.username is None:
        raise InputError(
            "password_file without username",
            where=f"{path}: {where}",
            hint=f"Set {where}.username, {user} by the broker's rules",
        )
    return _files_beside(path, part, ("password_file", "cert_file", "key_file"))


def _files_beside(path: Path, part: T, names: tuple[str, ...]) -> T:
    named = {name: getattr(part, name) for name in names}
    whole = {name: _beside(path, file) for name, file in named.items() if file is not None}
    return msgspec.structs.replace(part, **whole)


def _beside(path: Path, name: str) -> str:
    return str(path.resolve().parent / Path(name).expanduser())
