"""`linli broker ca | issue | revoke | list`: who may come to the broker, by certificates."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from ingest.audit import book as audit
from ingest.registry.nodes import end_key
from ingest.settings import CLIENT_ID, IngestSettings, load_settings
from linli.broker.authority import CERTIFICATE, REVOKED, Authority, Entry
from linli.broker.files import replace
from linli.broker.server import TLS_FOLDER
from linli.cli.broker.roster import COMMANDER, DISCOVERER, SHARER, WATCHER, roster_of
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError
from linli.settings import make_folder

AUTHORITY, CLIENTS = "ca", "clients"
SOON = timedelta(days=60)
_RELOAD = "Tell the broker: kill -HUP its process, or `systemctl reload mosquitto`."
_DAYS = click.IntRange(1, 3650)


@click.command(epilog="Example: linli broker ca --config ingest.toml --host mqtt.estate.example")
@click.option(
    "--host", "hosts", multiple=True, required=True, help="Name or address of the broker; repeat"
)
@click.option("--days", type=_DAYS, default=730, show_default=True, help="Of the broker's own")
@config_option
def ca(hosts: tuple[str, ...], days: int, config: Path) -> None:
    """Make the authority of this community and the broker's own certificate.

    Where there is an authority already, only the broker's certificate is made anew. Its key,
    ca/ca.key, is every identity: keep a copy away from this machine.
    """
    settings = load_settings(config)
    authority, now = _authority(settings), SystemClock().now()
    if not (_folder(settings) / AUTHORITY / CERTIFICATE).exists():
        authority.create(f"Linli {settings.site.id}", now)
        click.echo(f"authority made in {_folder(settings) / AUTHORITY}")
    issued = authority.issue("broker", now, days=days, hosts=hosts)
    tls, owner = _broker_folder(settings), settings.broker.run_as
    replace(tls / "server.key", issued.key, owner=owner)
    replace(tls / "server.crt", issued.certificate, owner=owner, mode=0o644)
    publish(settings)
    click.echo(f"the broker's certificate holds until {issued.entry.until:%Y-%m-%d}. {_RELOAD}")


@click.command(epilog="Example: linli broker issue c001-n01 --config ingest.toml --days 730")
@click.argument("name")
@click.option("--days", type=_DAYS, default=730, show_default=True)
@config_option
def issue(name: str, days: int, config: Path) -> None:
    """Issue a certificate for NAME: an edge of the registry, a service or another system.

    Key and certificate are written to clients/NAME, for its owner only; carry them over and
    remove them here. An older certificate stays valid until it ends or is revoked.
    """
    settings = load_settings(config)
    known = {*roster_of(settings).identities, CLIENT_ID, COMMANDER, DISCOVERER, SHARER, WATCHER}
    if name not in known:
        raise InputError(
            f"no edge in use, service or reader is called {name!r}",
            where="NAME",
            hint="Register the edge first, or name the system in [[broker.readers]]",
        )
    now = SystemClock().now()
    issued = _authority(settings).issue(name, now, days=days)
    until = issued.entry.until.date().isoformat()
    with state(settings) as connection:
        audit.note(connection, now, actor(), "certificate-signed", name, until=until)
    folder = make_folder(make_folder(_folder(settings) / CLIENTS) / name)
    above = (_folder(settings) / AUTHORITY / CERTIFICATE).read_bytes()
    replace(folder / "client.key", issued.key)
    replace(folder / "client.crt", issued.certificate)
    replace(folder / "ca.crt", above)
    click.echo(f"{folder}: client.crt, client.key, ca.crt; until {issued.entry.until:%Y-%m-%d}")


@click.command(epilog="Example: linli broker revoke c001-n01 --config ingest.toml --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do it: a revoked certificate never comes back")
@config_option
def revoke(name: str, config: Path, *, yes: bool) -> None:
    """Revoke all certificates of NAME, so that the broker takes none after a reload.

    An edge's key at the ingest ends with them: with it, it could ask for another certificate.

    A connection that is up stays until it ends: retire the edge and render to silence it too.
    """
    settings = load_settings(config)
    authority, now = _authority(settings), SystemClock().now()
    valid = [one for one in authority.entries() if one.name == name and one.valid(now)]
    if not valid:
        raise InputError(
            f"{name!r} has no valid certificate", where="NAME", hint="See: linli broker list"
        )
    if not yes:
        raise InputError(
            f"this shuts {name} out: {counted(len(valid), 'certificate')}, for good",
            where="NAME",
            hint="Say --yes to do it",
        )
    gone = authority.revoke(name, now)
    with state(settings) as connection:
        end_key(connection, name)
        audit.note(connection, now, actor(), "certificate-revoked", name, number=len(gone))
    publish(settings)
    click.echo(f"{counted(len(gone), 'certificate')} of {name} revoked. {_RELOAD}")


@click.command("list", epilog="Example: linli broker list --config ingest.toml --json")
@click.option("--all", "everything", is_flag=True, help="Also what is revoked or has ended")
@config_option
@json_option
@click.pass_context
def show(context: click.Context, config: Path, *, everything: bool, as_json: bool) -> None:
    """List certificates, those that end first at the top.

    The exit code is 1 when the authority, or a name's last certificate, ends within 60 days.
    """
    settings = load_settings(config)
    authority, now = _authority(settings), SystemClock().now()
    entries = sorted(authority.entries(), key=lambda one: one.until)
    ends = authority.certificate().not_valid_after_utc
    shown = [one for one in entries if everything or one.valid(now)]
    late = ending(entries, now)
    if as_json:
        said = {
            "authority_until": ends.isoformat(),
            "certificates": msgspec.to_builtins(shown),
            "ending": late,
        }
        click.echo(json.dumps(said))
    else:
        for one in shown:
            click.echo(f"{one.name:<32}  {one.until:%Y-%m-%d}  {_state(one, now)}")
        click.echo(f"authority until {ends:%Y-%m-%d}; ending or ended: {', '.join(late) or 'none'}")
    context.exit(1 if late or ends - now < SOON else 0)


def ending(entries: list[Entry], now: datetime) -> list[str]:
    """Return the names whose last certificate ends within 60 days or has, none when revoked."""
    last: dict[str, datetime] = {}
    for one in entries:
        if one.revoked is None:
            last[one.name] = max(one.until, last.get(one.name, one.until))
    return sorted(name for name, until in last.items() if until - now < SOON)


def _state(one: Entry, now: datetime) -> str:
    if one.revoked is not None:
        return f"revoked {one.revoked:%Y-%m-%d}"
    if now >= one.until:
        return "ended"
    days = (one.until - now).days
    return f"ends in {counted(days, 'day')}" if one.until - now < SOON else ""


def _folder(settings: IngestSettings) -> Path:
    return Path(settings.broker.folder)


def _authority(settings: IngestSettings) -> Authority:
    return Authority(_folder(settings) / AUTHORITY)


def _broker_folder(settings: IngestSettings) -> Path:
    """Return where the broker reads, reachable for the account it runs as."""
    folder = make_folder(_folder(settings), mode=0o755)
    folder.chmod(0o755)
    return make_folder(folder / TLS_FOLDER, mode=0o755)


def publish(settings: IngestSettings) -> None:
    """Give the broker the authority's certificate and revocations."""
    kept, tls = _folder(settings) / AUTHORITY, _broker_folder(settings)
    for name in (CERTIFICATE, REVOKED):
        data = (kept / name).read_bytes()
        replace(tls / name, data, owner=settings.broker.run_as, mode=0o644)
