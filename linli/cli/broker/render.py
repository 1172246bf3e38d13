"""`linli broker render`: the community's broker as files, or what they differ in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from ingest.audit import book as audit
from ingest.settings import IngestSettings, load_settings
from linli.broker.files import (
    CONFIGURATION,
    PASSWORDS,
    Drift,
    Step,
    drift,
    give,
    needed,
    read,
    replace,
)
from linli.broker.passwords import password_file
from linli.broker.rights import acl, bridge_user
from linli.broker.server import (
    BRIDGE_FILES,
    BRIDGE_FOLDER,
    TLS_FILES,
    TLS_FOLDER,
    Bridge,
    Server,
    configuration,
)
from linli.cli.broker.roster import Roster, roster_of, server_of
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.counted import counted
from linli.errors import InputError
from linli.settings import make_folder, read_secret, write_secret

SECRETS = "secrets"
_SHOWN = 50
_STEPS: dict[Step, str] = {
    "nothing": "The broker need not be told.",
    "reload": "Tell the broker: kill -HUP its process, or `systemctl reload mosquitto`.",
    "restart": "Restart the broker with this configuration: a reload does not move a listener.",
}


@click.command(
    epilog="Examples: linli broker render --config ingest.toml · linli broker render --check --json"
)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when something differs")
@click.option("--why", help="Why, for the audit log")
@config_option
@json_option
@click.pass_context
def render(
    context: click.Context, config: Path, *, check: bool, why: str | None, as_json: bool
) -> None:
    """Write mosquitto's configuration, rules and password file as registry and settings have it.

    All is in the folder of `[broker]` in ingest.toml. Each identity's password is made once and
    kept in secrets/NAME there. Edges that are retired are shut out. Afterwards it says whether
    the broker must be reloaded or restarted; it never does that itself.
    """
    settings = load_settings(config)
    server, roster = server_of(settings), roster_of(settings)
    if not check:
        prepare(server, roster)
    wanted = wanted_files(server, roster)
    found = drift(server.folder, wanted)
    if not check:
        for one in found:
            replace(server.folder / one.file, wanted[one.file].encode(), owner=server.run_as)
        note(settings, found, who=actor(), why=why)
    _say(server, roster, found, check=check, as_json=as_json)
    context.exit(1 if check and found else 0)


def prepare(server: Server, roster: Roster) -> None:
    """Make folders and passwords that are missing. Raises InputError."""
    folder = make_folder(server.folder, mode=0o755)
    folder.chmod(0o755)
    give(make_folder(folder / "data"), server.run_as)
    if server.tls:
        for name in TLS_FILES:
            _require(folder / TLS_FOLDER / name, server)
    if server.bridge is not None:
        _take_up(server.bridge, folder / BRIDGE_FOLDER, server.run_as)
    if server.access == "passwords":
        kept = make_folder(folder / SECRETS)
        for name in roster.identities:
            if not (kept / name).exists():
                write_secret(kept / name, secrets.token_urlsafe(32))


def _take_up(bridge: Bridge, folder: Path, owner: str) -> None:
    """Let mosquitto read what was carried over from the district. Raises InputError."""
    for path in (folder / name for name in BRIDGE_FILES):
        if not path.is_file():
            raise InputError(
                "no such file: the bridge cannot start without it",
                where=str(path),
                hint=f"`linli broker issue {bridge_user(bridge.site)}` at the district writes it",
            )
        path.chmod(0o600)
        give(path, owner)
    give(folder, owner)


def _require(path: Path, server: Server) -> None:
    needless = path.name == "crl.pem" and server.access == "passwords"
    if not needless and not path.is_file():
        raise InputError(
            "no such file: the broker cannot start without it",
            where=str(path),
            hint="Make it with `linli broker ca`, or put your own authority's files there, in PEM",
        )


def wanted_files(server: Server, roster: Roster) -> dict[str, str]:
    """Return what the files should hold, the configuration last. Raises InputError."""
    files = {"acl.conf": acl(roster.rights)}
    if server.access == "passwords":
        kept = server.folder / SECRETS
        known = {
            name: read_secret(kept / name) for name in roster.identities if (kept / name).exists()
        }
        # One without a password yet is a difference that `--check` tells: its line is empty.
        text = password_file(known, read(server.folder / PASSWORDS) or "")
        without = (f"{name}:\n" for name in roster.identities if name not in known)
        files[PASSWORDS] = text + "".join(without)
    files[CONFIGURATION] = configuration(server)
    return files


def note(
    settings: IngestSettings, found: tuple[Drift, ...], *, who: str, why: str | None = None
) -> None:
    """Write down who changed what the broker lets in."""
    if not found:
        return
    names, now = ", ".join(one.file for one in found), SystemClock().now()
    said = {**{one.file: _lines(one) for one in found}, **audit.reason(why)}
    with state(settings) as connection:
        audit.note(connection, now, who, "broker-rendered", names, **said)


def _lines(one: Drift) -> str:
    """Return what became of a file: how many lines came and went."""
    came, went = (sum(line.startswith(sign) for line in one.lines) for sign in "+-")
    return f"{one.what}, +{came} -{went} lines"


def _say(
    server: Server, roster: Roster, found: tuple[Drift, ...], *, check: bool, as_json: bool
) -> None:
    step = needed(found)
    if as_json:
        said = {
            "folder": str(server.folder),
            "written": not check,
            "files": msgspec.to_builtins(found),
            "identities": roster.identities,
            "barred": roster.rights.barred,
            "broker": step,
        }
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{server.folder / one.file}: {one.what}")
        _show(one.lines)
    barred = len(roster.rights.barred)
    known = counted(len(roster.identities), "identity", "identities")
    click.echo(f"{known}, {counted(barred, 'retired edge')} shut out")
    if not found:
        click.echo("Everything is as it should be.")
    elif check:
        click.echo("Write it with: linli broker render")
    else:
        click.echo(_STEPS[step])


def _show(lines: Iterable[str]) -> None:
    shown = list(lines)
    for line in shown[:_SHOWN]:
        click.echo(f"  {line}")
    if len(shown) > _SHOWN:
        click.echo(f"  … and {len(shown) - _SHOWN} more")
