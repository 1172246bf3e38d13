"""`linli upgrade`: switch the services to this installation, and back when that does not work."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from ingest.settings import load_settings
from ingest.store.migrate import File
from linli.cli.services import running
from linli.cli.services.course import Course, left
from linli.cli.services.install import of_ingest, ready
from linli.clock import SystemClock
from linli.errors import InputError, LinliError
from linli.install import machine, units
from linli.install.layout import EDGE, INGEST, KEEPER, RECORD, UNITS, Service
from linli.owner import sole_owner

_CONFIG = ("--config", str(INGEST.settings))
_OURS = (INGEST, KEEPER, EDGE)
_FAILS = (LinliError, OSError, ValueError, LookupError, KeyboardInterrupt)
_ORPHAN_SECONDS = 60.0


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
    meanwhile is in the journal, which stays, and is worked on again. Cut short, it goes on, or
    back, when it is run again.
    """
    this = ready("mosquitto")
    with sole_owner(RECORD.parent, "upgrade", wait=_ORPHAN_SECONDS) as lock:
        os.fchmod(lock, 0o644)  # the page of system health asks it too, whatever root's umask
        upgrade = Upgrade(this, lock, patience)
        cut = left()
        if cut is not None and upgrade.resume(cut):
            return
        upgrade.begin(anyway=anyway)


class Upgrade:
    """Brings the services to a program; what it does on the way is in the record first."""

    def __init__(self, this: Path, lock: int, patience: float) -> None:
        """`lock` is held by what this starts as well: it must have ended before another begins."""
        self._this = this
        self._lock = lock
        self._patience = patience

    def begin(self, *, anyway: bool) -> None:
        """Upgrade what runs now. Raises InputError when that is not to be, or did not work."""
        old = _program()
        self._check(old, anyway=anyway)
        texts = {
            one.unit: (UNITS / one.unit).read_text(encoding="utf-8") for one in running.there(_OURS)
        }
        mine = {name: text for name, text in texts.items() if str(old) in text}
        course = Course(old=str(old), new=str(self._this), units=mine, tables=self._versions())
        course.keep()
        self._carry(course)

    def resume(self, course: Course) -> bool:
        """Bring one that was cut short to an end; tell whether this program runs now.

        Raises InputError when it went back since it did not work.
        """
        _say(f"an upgrade from {course.old} to {course.new} was cut short")
        if str(_program()) == course.new and _proved_since(course):
            running.start(_services(course))
            course.end()
            _say(f"{course.new} has run since, and stays")
        elif course.back is not None:
            self._go_back(course)
            raise InputError(f"back at {course.old}, all green", hint="Run it again to try again")
        elif course.backups is None or str(_program()) == course.old:
            _say("nothing was changed yet")  # and backups are of before the old one ran again
            self._go_back(course)
        else:
            self._carry(course)
        return str(_program()) == str(self._this)

    def _check(self, old: Path, *, anyway: bool) -> None:
        """Raise InputError where there would be no way back."""
        if old == self._this:
            raise InputError(
                "the services run this very installation",
                where=str(old),
                hint="Install the new version beside it, such as into /opt/linli-0.2, and run its "
                "own `linli upgrade`",
            )
        self._store("check")
        found = self._found()["journal"]
        if int((found["newest"] or "0")[-4:]) - int((found["version"] or "0")[-4:]) > 1:
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

    def _carry(self, course: Course) -> None:
        """Do what is left of it. Raises InputError when it went back."""
        try:
            with _signals(signal.default_int_handler):
                if course.backups is None:
                    self._make_ready(course)
                self._change(course)
                course.end()
        except _FAILS as why:
            _say(f"it does not work: {str(why) or 'stopped by hand'}", err=True)
            self._go_back(course)
            raise InputError(
                f"back at {course.old}, all green",
                hint=f"What went wrong: journalctl -u {INGEST.unit}",
            ) from None
        _say(f"all green with {course.new}; {course.old} may go when you are sure")

    def _make_ready(self, course: Course) -> None:
        """Stop what writes, back up what will change, and find out that the backups will do."""
        running.stop(_services(course))
        made: dict[File, str] = json.loads(self._store("backup", "--json"))["backups"]
        for file, path in made.items():
            if file != "journal":  # it goes back by a step
                self._store("restore", path, "--rehearse")
            _say(f"backup: {path}")
        course.backups, course.stopped = made, SystemClock().now()
        course.keep()

    def _change(self, course: Course) -> None:
        """Put the new version into place, which, cut short here, a start of the machine starts."""
        program = Path(course.new)
        last = reversed(_services(course))  # the ingest's tells which version is in place
        running.place({one: _text(one, program) for one in last})
        self._store("up", "--no-backup", program=course.new)
        running.restart(_services(course))
        _say("waiting until a message has gone the whole way …")
        running.wait_until_green(program, self._patience)

    def _go_back(self, course: Course) -> None:
        """Bring state and series back from backups, the journal by a step: it has what came.

        Each part of it may be done twice. Raises InputError.
        """
        with _signals(_deaf):
            try:
                running.stop(_services(course))
                course.back = SystemClock().now()
                with contextlib.suppress(InputError):  # also without room for a line
                    course.keep()
                self._put_back(course)
            except _FAILS as why:
                raise InputError(
                    f"not back yet: {why}",
                    hint="Nothing is lost: mend that and run `linli upgrade` again, it goes on",
                ) from None
            running.wait_until_green(Path(course.old))

    def _put_back(self, course: Course) -> None:
        services = _services(course)
        for file, version in self._versions().items():
            backup = (course.backups or {}).get(file)
            if version == course.tables[file] or backup is None:
                continue
            if file == "journal":
                self._store("back", file, "--yes", "--no-backup", program=course.new)
                continue
            self._store("restore", backup, "--yes")
            _say(f"the {file} is {Path(backup).name} again; what the new version had is beside it")
        running.place({one: course.units[one.unit] for one in services})
        running.restart(services)
        course.end()

    def _versions(self) -> dict[File, str | None]:
        return {file: found["version"] for file, found in self._found().items()}

    def _found(self) -> dict[File, dict[str, str | None]]:
        return {one["file"]: one for one in json.loads(self._store("status", "--json"))["files"]}

    def _store(self, *words: str, program: str | None = None) -> str:
        """Run `linli ingest migrate` as the account whose data it is. Raises InputError."""
        argv = [program or str(self._this), "ingest", "migrate", *words, *_CONFIG]
        return machine.run(argv, account=INGEST.account, keep=(self._lock,))


def _program() -> Path:
    """Return what the installed ingest runs. Raises InputError when none is installed."""
    unit = UNITS / INGEST.unit
    if not unit.exists():
        raise InputError(
            "no ingest is installed here", where=str(unit), hint="linli service install server"
        )
    lines = unit.read_text(encoding="utf-8").splitlines()
    started = next((one for one in lines if one.startswith("ExecStart=")), "")
    words = shlex.split(started.partition("=")[2])
    if not words:
        raise InputError("starts nothing", where=str(unit), hint="linli service install server")
    return Path(words[0])


def _services(course: Course) -> list[Service]:
    """Return what it changes, in the order in which it starts."""
    return [one for one in _OURS if one.unit in course.units]


def _text(service: Service, program: Path) -> str:
    if service is EDGE:
        return units.edge_unit(program)
    return of_ingest(program, load_settings(INGEST.settings))[service]


def _proved_since(course: Course) -> bool:
    """Tell whether the new version has worked at any time: then nobody loses what came since."""
    if course.stopped is None:
        return False
    last: datetime | None = running.last_proved(Path(course.new))
    return last is not None and last > (course.back or course.stopped)


def _say(text: str, *, err: bool = False) -> None:
    """Say it to who listens: a terminal that is gone stops nothing."""
    with contextlib.suppress(OSError):
        click.echo(text, err=err)


def _deaf(*_: object) -> None:
    """Hear nothing. Unlike SIG_IGN, nothing of it is handed down to what is started."""


@contextmanager
def _signals(stopped: Callable[..., object]) -> Iterator[None]:
    """Let who wants this ended be heard by `stopped`, and a terminal that goes by nobody."""
    heard = {signal.SIGINT: stopped, signal.SIGTERM: stopped, signal.SIGHUP: _deaf}
    before = {number: signal.signal(number, handler) for number, handler in heard.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
