"""`linli upgrade` without root and services, killed between any two of its steps.

What it starts is noted; what it asks of the store is done in this process, on a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stores
from click.testing import CliRunner, Result
from filled import held, outdated

from ingest.doctor import upgrade as doctor
from ingest.store import migrate
from ingest.store.choose import database_of
from ingest.store.engine import writing
from ingest.store.migrate import FILES, File
from linli.cli.ingest import command as ingest
from linli.cli.main import command as linli
from linli.cli.services import course, running, upgrade
from linli.clock import SystemClock
from linli.errors import InputError, LinliError
from linli.install import machine
from linli.install.layout import EDGE, INGEST, KEEPER

CHANGED: tuple[File, ...] = ("journal", "state")
OLD, NEW = "/opt/linli/bin/linli", "/opt/linli-0.2/bin/linli"


class Killed(BaseException):
    """As a kill -9 looks from inside: nothing of what would be done about it is done."""


class Estate:
    """A server at OLD with journal and state one version back, and rows in every table."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.works = True
        self.runs: str | None = OLD
        self.proved: datetime | None = None
        self.steps: list[str] = []
        self.done: set[str] = set()
        self.kill_at: int | None = None
        where = stores.copy(folder / "data", outdated)
        settings = stores.settings(folder / "data", where)
        self.database = database_of(settings)
        self.config = folder / "ingest.toml"
        url = "" if where.url is None else f'[database]\nurl = "{where.url}"\n'
        self.config.write_text(f'data = "data"\n[site]\nid = "c001"\nlabel = "x"\n{url}')
        self._units = folder / "units"
        self._units.mkdir()
        for one in (INGEST, KEEPER, EDGE):
            (self._units / one.unit).write_text(self.unit(one, Path(OLD)), encoding="utf-8")
        self.before = {file: held(self.database, file) for file in FILES}
        self._patch(patch)

    def unit(self, _: object, program: Path) -> str:
        return f"ExecStart={program} run\n"

    def __call__(self, *words: str, kill_at: int | None = None) -> Result:
        """Run it; with `kill_at` it is killed before its step of that number."""
        self.steps, self.kill_at = [], kill_at
        done = CliRunner().invoke(linli, ["upgrade", "--patience", "1", *words])
        if isinstance(done.exception, AssertionError):
            raise done.exception
        return done

    def killed(self, at: int) -> bool:
        """Run it until that step, -1 for none; tell whether it was killed."""
        try:
            self(kill_at=None if at < 0 else at)
        except Killed:
            return True
        return False

    def killed_at(self, name: str, *, times: int = 1, after: str = "") -> bool:
        """Kill it before a step of that name, tell whether it came so far."""
        with pytest.MonkeyPatch.context() as patch:
            found = []

            def step(one: str) -> None:
                seen = not after or after in self.steps
                found.extend([one] if one == name and seen else [])
                self.steps.append(one)
                if len(found) == times:
                    raise Killed(one)

            patch.setattr(self, "_step", step)
            return self.killed(-1)

    def start_of_the_machine(self) -> None:
        """Start what the units name, as systemd does after a power cut."""
        self._restart(())

    @property
    def program(self) -> str:
        """What the units name: of all the same."""
        (text,) = {path.read_text(encoding="utf-8") for path in self._units.iterdir()}
        return text.partition("=")[2].split()[0]

    @property
    def backups(self) -> list[Path]:
        return sorted((self.folder / "data" / "backups").glob("*.backup"))

    def _patch(self, patch: pytest.MonkeyPatch) -> None:
        def steps(where: Any, name: str, do: Callable[..., Any]) -> None:
            def step(*given: Any, **named: Any) -> Any:
                self._step(name)
                return do(*given, **named)

            patch.setattr(where, name, step)

        record = self.folder / "upgrade.json"
        patch.setattr(upgrade, "ready", lambda *_: Path(NEW))
        patch.setattr(upgrade, "_CONFIG", ("--config", str(self.config)))
        patch.setattr(upgrade, "_text", self.unit)
        for where in (upgrade, running):
            patch.setattr(where, "UNITS", self._units)
        for where in (upgrade, course, doctor):
            patch.setattr(where, "RECORD", record)
        steps(machine, "run", self._run)
        steps(running, "stop", self._stop)
        steps(running, "restart", self._restart)
        steps(running, "start", self._start)
        steps(running, "place", running.place)
        steps(running, "wait_until_green", self._green)
        steps(course.Course, "keep", course.Course.keep)
        steps(course.Course, "end", course.Course.end)
        patch.setattr(running, "look", lambda _: (self.proved, [] if self.proved else ["red"]))
        patch.setattr(running, "last_proved", lambda _: self.proved)
        self.proved = SystemClock().now()

    def _step(self, name: str) -> None:
        if self.kill_at is not None and len(self.steps) >= self.kill_at:
            raise Killed(name)
        self.steps.append(name)

    def _run(self, argv: Sequence[str], *, account: str, keep: Sequence[int]) -> str:
        assert (account, len(keep)) == (INGEST.account, 1)
        assert argv[0] == NEW
        assert argv[1] == "ingest"
        done = CliRunner().invoke(ingest, argv[2:])
        if isinstance(done.exception, LinliError):
            raise InputError(f"failed: {done.exception}", where=" ".join(argv))
        if done.exception is not None:
            raise done.exception
        return done.stdout

    def _stop(self, services: Sequence[object]) -> None:
        assert list(services) == [INGEST, KEEPER, EDGE]
        self.runs = None

    def _restart(self, _: object) -> None:
        """Start it: it brings tables up, as `linli ingest run` does, and something happens."""
        self.runs = self.program
        if self.runs == OLD:
            for file in FILES:
                assert held(self.database, file).keys() == self.before[file].keys()
            self.done.add(name := f"at the old one {len(self.done)}")
            self.happens(name)
            return
        self.database.prepare()
        self.happens("after")

    def _start(self, services: Sequence[object]) -> None:
        if self.runs is None:
            self._restart(services)

    def happens(self, name: str) -> None:
        """Let people and edges write something."""
        tables: dict[File, str] = {"state": "tally", "journal": "counter"}
        for file, table in tables.items():
            writer = self.database.writer(file)
            with writing(writer) as connection:
                connection.exec_driver_sql(
                    f"INSERT INTO {table} (name, value) VALUES ('{name}', 7) ON CONFLICT DO NOTHING"
                )
            writer.dispose()

    def _green(self, program: Path, seconds: float = 0) -> None:
        del seconds
        assert self.runs == str(program), "what runs is what is waited for"
        if str(program) == NEW and not self.works:
            raise InputError("not green after 1 s: red")
        self.proved = SystemClock().now() + timedelta(microseconds=1)


def names(estate: Estate, file: File, table: str) -> list[object]:
    return held(estate.database, file)[table]["name"]


def assert_old(estate: Estate) -> None:
    """All is as it was, but for what edges sent."""
    assert estate.program == estate.runs == OLD
    for file in CHANGED:
        assert estate.database.revision(file) == migrate.previous(file)
    after = {file: held(estate.database, file) for file in FILES}
    before = {file: dict(rows) for file, rows in estate.before.items()}
    tallies = [set(found["state"].pop("tally")["name"]) for found in (after, before)]
    for of_edges in (after, before):
        of_edges["journal"].pop("counter")
    assert after == before
    assert tallies[0] == tallies[1] | estate.done, "what people did, and nothing of the new one"
    assert not (estate.folder / "upgrade.json").exists()


def assert_new(estate: Estate) -> None:
    """The new version runs on its tables, with every row that was there."""
    assert estate.program == estate.runs == NEW
    for file in FILES:
        assert estate.database.revision(file) == migrate.head(file)
        after = held(estate.database, file)
        for table, columns in estate.before[file].items():
            rows = zip(*columns.values(), strict=True)
            kept = zip(*(after[table][name] for name in columns), strict=True)
            assert set(rows) <= set(kept), table
    assert {"after", *estate.done} <= set(names(estate, "state", "tally"))
    assert not (estate.folder / "upgrade.json").exists()
