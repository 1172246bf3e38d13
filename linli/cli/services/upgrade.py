"""`linli upgrade`: switch the services to this installation, and back when that does not work."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from ingest.settings import load_settings
from ingest.store.backup import FOLDER
from ingest.store.files import path_of
from ingest.store.migrate import FILES, File
from linli.cli.services import running
from linli.cli.services.install import of_ingest, ready
from linli.errors import InputError, LinliError
from linli.install import machine, units
from linli.install.layout import DATA, EDGE, INGEST, KEEPER, UNITS, Service

_CONFIG = ("--config", str(INGEST.settings))
_FAILED = ".of-failed-upgrade"


@click.command(epilog="Example: /opt/linli-0.2/bin/linli upgrade")
@click.option("--anyway", is_flag=True, help="Also when all is not well before")
@click.option(
    "--patience",
    type=click.FloatRange(1, 3600),
    default=running.GREEN_SECONDS,
    show_default=True,
    help="Seconds until a message must have gone the whole way",
)
def command(patience: float, *, anyway: bool) -> None:
    """Switch the services of this machine to the installation that this command belongs to.

    Tables are backed up, then brought up to this version; when no message comes through with it,
    tables and services go back to what they were, and the exit code is not 0. What came in
    meanwhile is in the journal, which stays, and is worked on again.
    """
    new = ready("mosquitto")
    old = _program()
    before = {one: (UNITS / one.unit).read_text(encoding="utf-8") for one in _ours(old)}
    _check(old, new, anyway=anyway)
    backups = load_settings(INGEST.settings).folder / FOLDER
    known = set(backups.glob("*.backup"))
    running.stop(list(before))
    try:
        _migrate(new)
        running.place({one: _text(one, new) for one in before})
        running.restart(list(before))
        click.echo("waiting until a message has gone the whole way …")
        running.wait_until_green(new, patience)
    except (LinliError, OSError, ValueError, LookupError, KeyboardInterrupt) as why:
        click.echo(f"it does not work: {str(why) or 'stopped by hand'}", err=True)
        running.stop(list(before))
        made = sorted(set(backups.glob("*.backup")) - known)
        _go_back(new, made)
        running.place(before)
        running.restart(list(before))
        running.wait_until_green(old)
        raise InputError(
            f"back at {old}, all green", hint=f"What went wrong: journalctl -u {INGEST.unit}"
        ) from None
    click.echo(f"all green with {new}; {old} may go when you are sure")


def _program() -> Path:
    """Return what the installed ingest runs. Raises InputError when none is installed."""
    unit = UNITS / INGEST.unit
    if not unit.exists():
        raise InputError(
            "no ingest is installed here", where=str(unit), hint="linli service install server"
        )
    lines = unit.read_text(encoding="utf-8").splitlines()
    started = next(one for one in lines if one.startswith("ExecStart="))
    return Path(shlex.split(started.partition("=")[2])[0])


def _ours(program: Path) -> list[Service]:
    """Return what runs the program, in the order in which it starts."""
    found = running.there([INGEST, KEEPER, EDGE])
    return [one for one in found if str(program) in (UNITS / one.unit).read_text(encoding="utf-8")]


def _text(service: Service, program: Path) -> str:
    if service is EDGE:
        return units.edge_unit(program)
    return of_ingest(program, load_settings(INGEST.settings))[service]


def _check(old: Path, new: Path, *, anyway: bool) -> None:
    """Raise InputError where there would be no way back."""
    if old == new:
        raise InputError(
            "the services run this very installation",
            where=str(old),
            hint="Install the new version beside it, such as into /opt/linli-0.2, and run its own "
            "`linli upgrade`",
        )
    if load_settings(INGEST.settings).database.url is not None:
        raise InputError(
            "tables of a PostgreSQL do not go back by themselves",
            where=f"{INGEST.settings}: database.url",
            hint="Back it up, stop the services, then `linli service install server`",
        )
    if _steps(new)["journal"] > 1:
        raise InputError(
            "this passes over more than one change of the journal",
            hint="Upgrade to a version in between first",
        )
    proved, wrong = running.look(old)
    if proved is None and not anyway:
        raise InputError(
            f"all is not well before: {'; '.join(wrong) or 'nothing is heard of it'}",
            hint="Mend that first, or say --anyway",
        )


def _steps(program: Path) -> dict[File, int]:
    """Return how many changes each file of the store is behind a program."""
    argv = [str(program), "ingest", "migrate", "status", "--json", *_CONFIG]
    found = json.loads(machine.run(argv, account=INGEST.account))["files"]
    numbers = {
        one["file"]: (int(one["newest"][-4:]), int((one["version"] or one["newest"])[-4:]))
        for one in found
    }
    return {file: numbers[file][0] - numbers[file][1] for file in FILES}


def _migrate(new: Path) -> None:
    said = machine.run([str(new), "ingest", "migrate", "up", *_CONFIG], account=INGEST.account)
    for line in said.splitlines():
        click.echo(line)


def _go_back(new: Path, backups: list[Path]) -> None:
    """Bring state and series back from their backups, the journal by a step: it has what came.

    What is put away stays beside it for who wants to see why.
    """
    folder = load_settings(INGEST.settings).folder
    for file in FILES:
        made = [one for one in backups if one.name.startswith(f"{file}_")]
        if not made:
            continue
        if file == "journal":
            if _steps(new)[file]:
                continue  # it never got so far
            argv = [str(new), "ingest", "migrate", "back", file, "--yes", "--no-backup", *_CONFIG]
            machine.run(argv, account=INGEST.account)
            continue
        path = path_of(folder, file)
        for part in (path, *path.parent.glob(f"{path.name}-*")):
            part.replace(part.with_name(part.name + _FAILED))
        # As the account whose folder it is: root would follow a link that stands there.
        machine.run(["cp", "--", str(made[-1]), str(path)], account=INGEST.account)
        click.echo(f"{path} is {made[-1].name} again; what the new version had: {path}{_FAILED}")
    machine.folder_of(DATA, INGEST.account)
