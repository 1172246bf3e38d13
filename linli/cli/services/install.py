"""`linli service`: Linli as services of this machine, started with it and kept running."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from edge.settings import load_box
from ingest.consumers.broker_watch import USER as WATCHER
from ingest.settings import CLIENT_ID, IngestSettings, load_settings
from ingest.store import postgres
from linli.cli.services import running
from linli.cli.services.making import make_broker, need_root, own
from linli.cli.services.prepare import prepare
from linli.errors import InputError
from linli.install import machine, units
from linli.install.layout import (
    ACCOUNTS,
    BROKER,
    EDGE,
    INGEST,
    KEEPER,
    SYSUSERS,
    UNITS,
    Service,
)
from linli.process import linli_argv
from linli.settings import read_secret
from linli.topics import is_id

_DATABASE_SECRET = "secrets/postgres"  # noqa: S105 - a path
_OURS = (KEEPER, EDGE, INGEST, BROKER)


@click.group(short_help="Run Linli as services of this machine.")
def command() -> None:
    """Install Linli as services of this machine, which start with it; take them away again."""


command.add_command(prepare)


@command.group()
def install() -> None:
    """Install the server, or an edge, as services. Needs root; may be repeated."""


@install.command(
    epilog="Examples: linli service install server --site c001 --label 和园社区 · "
    "linli service install server --site c001 --label 和园社区 --host 192.0.2.10"
)
@click.option("--site", help="Id of the community: a-z, 0-9 and '-'")
@click.option("--label", help="What people call it, in any language")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="Name or address by which edge boxes reach this machine; repeat. Without it the broker is "
    "for this machine alone",
)
@click.option("--http-port", default=8470, show_default=True, help="Port of pages and API")
@click.option("--database", help="A PostgreSQL instead of files: postgresql://user@host:port/name")
@click.option(
    "--database-password-file",
    "database_secret",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File that holds its password; it is copied",
)
def server(
    site: str | None,
    label: str | None,
    hosts: tuple[str, ...],
    http_port: int,
    database: str | None,
    database_secret: Path | None,
) -> None:
    """Install ingest and broker: accounts, folders, secrets, certificates, units; start them.

    Waits until a message that it makes itself has gone the whole way. What is there already stays:
    settings, secrets and data are never overwritten.
    """
    program = ready("mosquitto")
    if not INGEST.settings.exists():
        if site is None or label is None:
            raise InputError("a new server needs --site and --label")
        if not is_id(site):
            raise InputError(f"site {site!r} is not an id", hint="Use a-z, 0-9 and '-'")
        secret = read_secret(database_secret) if database_secret is not None else None
        _begin(_settings(site, label, http_port, hosts) + _database(database, secret), secret)
    elif database is not None:
        raise InputError(
            "the store of a server that is there stays where it is",
            where=f"{INGEST.settings}: database",
            hint="`linli backup make` and `linli restore` move it: docs/postgresql.md",
        )
    elif hosts and load_settings(INGEST.settings).broker.access != "certificates":
        raise InputError(
            "the broker is for this machine alone, by the settings that are there",
            where=f"{INGEST.settings}: broker",
            hint="Set tls and access there and in [mqtt] (docs/broker.md), then install again",
        )
    for line in (*make_broker(hosts), *_account()):
        click.echo(line)
    _start({BROKER: units.broker_unit(), **of_ingest(program, load_settings(INGEST.settings))})
    if machine.booted():
        click.echo("waiting until a message has gone the whole way …")
        running.wait_until_green(program)
        http = load_settings(INGEST.settings).http
        click.echo(f"all green: pages at http://{http.host}:{http.port}{http.path_prefix}/")


@install.command(epilog="Example: linli service install edge")
def edge() -> None:
    """Install an edge that is set up in /var/lib/linli-edge/edge.toml; start it."""
    program = ready()
    if not EDGE.settings.exists():
        raise InputError(
            "no such file",
            where=str(EDGE.settings),
            hint=f"Make it with `linli edge init --config {EDGE.settings} …`, then install again",
        )
    machine.folder_of(EDGE.folder, EDGE.account)
    machine.run(linli_argv("edge", "check", "--config", str(EDGE.settings)), account=EDGE.account)
    _start({EDGE: units.edge_unit(program)})
    if machine.booted() and load_box(EDGE.settings).status.port:  # else there is nothing to ask
        click.echo("waiting until the ingest is heard …")
        found = running.heard_of(program)
        click.echo(
            "the ingest is heard"
            if found
            else "not heard of it yet: the edge works alone and goes on trying"
            f" (linli edge status --config {EDGE.settings})"
        )


@command.command(epilog="Example: linli service uninstall --yes")
@click.option("--yes", is_flag=True, help="Do it: nothing watches afterwards")
def uninstall(*, yes: bool) -> None:
    """Stop the services and remove their units; settings, data and accounts stay."""
    there = running.there(_OURS)
    if not there:
        raise InputError("nothing of Linli is installed here", where=str(UNITS))
    names = [one.unit for one in there]
    if not yes:
        raise InputError(
            f"this stops {', '.join(names)}: nothing watches afterwards", hint="Say --yes to do it"
        )
    need_root()
    for one in there:
        now = ("--now",) if machine.booted() else ()
        machine.run(["systemctl", "disable", *now, one.unit])
        (UNITS / one.unit).unlink()
        click.echo(f"{one.unit} removed; {one.folder} stays")
    if machine.booted():
        machine.run(["systemctl", "daemon-reload"])


def of_ingest(program: Path, settings: IngestSettings) -> dict[Service, str]:
    """Return the units that run an ingest, by what its settings ask of them."""
    url = settings.database.url
    far = url is not None and not postgres.is_local(url)
    archives = [one.to for one in settings.backup.places if one.kind == "folder"]
    return {
        INGEST: units.ingest_unit(program, archives=archives),
        KEEPER: units.keeper_unit(program, network=far),
    }


def ready(*needed: str) -> Path:
    """Return the installed program, once this machine has what is needed. Raises InputError."""
    need_root()
    for name in ("systemctl", "systemd-sysusers", *needed):
        if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            package = "mosquitto" if name == "mosquitto" else "systemd"
            raise InputError(f"no {name} here", hint=f"apt-get install {package}")
    program = Path(sys.prefix) / "bin" / "linli"
    if not program.exists():
        raise InputError("not an installation of Linli", where=str(program))
    homes = tuple(one for one in (program, Path(sys.executable).resolve()) if _at_home(one))
    if homes:
        raise InputError(
            "services may not read home folders",
            where=str(homes[0]),
            hint="Install Linli with the system's Python into a place such as /opt/linli",
        )
    if machine.write(SYSUSERS, ACCOUNTS):
        click.echo(f"{SYSUSERS} written")
    machine.run(["systemd-sysusers", str(SYSUSERS)])
    return program


def _at_home(path: Path) -> bool:
    return path.is_relative_to("/root") or path.is_relative_to("/home")


def _begin(settings: str, database_secret: str | None) -> None:
    """Write the first settings and make the empty store as the account that owns them."""
    machine.write(INGEST.settings, settings, mode=0o640)
    own()
    try:
        if database_secret is not None:
            machine.hand(INGEST.folder / _DATABASE_SECRET, database_secret, INGEST.account)
        argv = linli_argv("ingest", "migrate", "up", "--config", str(INGEST.settings))
        machine.run(argv, account=INGEST.account)
    except InputError:
        INGEST.settings.unlink()  # nothing was begun: another try may say something else
        raise
    click.echo(f"{INGEST.settings} written")


def _database(url: str | None, secret: str | None) -> str:
    """Return the lines of a database, none for files. Raises InputError."""
    if url is None:
        if secret is not None:
            raise InputError("needs --database", where="--database-password-file")
        return ""
    password = f'password_file = "{_DATABASE_SECRET}"\n' if secret is not None else ""
    return f"\n[database]\nurl = {json.dumps(url)}\n{password}"


def _settings(site: str, label: str, http_port: int, hosts: tuple[str, ...]) -> str:
    """Return `ingest.toml`; where edges are other machines, certificates prove who is who."""
    if hosts:
        mqtt = (
            'port = 8883\nca_file = "secrets/ca.crt"\ncert_file = "secrets/client.crt"\n'
            'key_file = "secrets/client.key"'
        )
        watch = f'cert_file = "secrets/{WATCHER}.crt"\nkey_file = "secrets/{WATCHER}.key"'
        broker = f'host = "0.0.0.0"\npublic = "{hosts[0]}"\nport = 8883\naccess = "certificates"'
    else:
        mqtt = f'port = 1883\nusername = "{CLIENT_ID}"\npassword_file = "secrets/{CLIENT_ID}"'
        watch = f'username = "{WATCHER}"\npassword_file = "secrets/{WATCHER}"'
        broker = 'host = "127.0.0.1"\nport = 1883\naccess = "passwords"\ntls = false'
    return f"""\
data = "data"

[site]
id = "{site}"
label = {json.dumps(label, ensure_ascii=False)}

[http]
host = "127.0.0.1"
port = {http_port}
proxies = ["127.0.0.1"]  # one of this machine, which is to set X-Forwarded-For and -Proto

[mqtt]
host = "127.0.0.1"
{mqtt}

[broker]
folder = "{BROKER.folder}"
{broker}
run_as = "{BROKER.account}"

[watch]
enabled = true
{watch}
"""


def _account() -> Iterator[str]:
    """Make the first account where there is none; its password is shown this once."""
    config = ("--config", str(INGEST.settings), "--json")
    known = machine.run(linli_argv("ingest", "user", "list", *config), account=INGEST.account)
    if known.strip():
        return
    argv = linli_argv("ingest", "user", "add", "admin", "--role", "admin", *config)
    made = json.loads(machine.run(argv, account=INGEST.account))
    yield f"first account: admin, password {made['password']} (shown this once)"


def _start(texts: dict[Service, str]) -> None:
    """Put the units into place, have them start with the machine and start them now."""
    for path in running.place(texts):
        click.echo(f"{path} written")
    running.enable(list(texts))
    names = ", ".join(one.unit for one in texts)
    if not machine.booted():
        click.echo(f"enabled: {names}; systemd does not run here, so nothing is started")
        return
    running.restart(list(texts))
    click.echo(f"started: {names}")
