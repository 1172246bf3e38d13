"""A PostgreSQL of our own for a test: the Debian package's programs, a folder, a socket in it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import sqlalchemy as sa

USERS = ("postgres", "nobody")
_PREFIX, _OWNER = "linli-pg-", "owner"


def missing() -> str | None:
    """Return why there can be none here, None when there can."""
    if _programs() is None:
        return "no PostgreSQL server programs (Debian package postgresql)"
    try:
        import psycopg  # noqa: PLC0415, F401 - only whether it is there
    except ImportError:
        return "no psycopg (extra 'postgres')"
    return None


class Postgres:
    """A server; it refuses to run as root, so root lends it another user."""

    def __init__(self, connections: int = 100, *, locale: str = "C.UTF-8") -> None:
        _end_orphans()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        (self.folder / _OWNER).write_text(str(os.getpid()))
        self._user = next(name for name in USERS if _known(name)) if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._options = (
            f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections={connections}"
        )
        arguments = ("-U", "linli", "-A", "trust", "-E", "UTF8", f"--locale={locale}")
        self._call("initdb", *arguments, "--no-sync")

    @property
    def url(self) -> sa.URL:
        host = {"host": str(self.folder)}
        return sa.URL.create("postgresql+psycopg", "linli", database="postgres", query=host)

    def start(self) -> None:
        self._call("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", self._options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._call("pg_ctl", "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """End the server and all its processes at once, as a power switch would."""
        _kill(self.folder)

    def let_in(self, rule: str) -> None:
        """Put a line above the others of pg_hba.conf, and let it hold."""
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(rule + "\n" + rules.read_text())
        self._call("pg_ctl", "reload")

    def close(self) -> None:
        try:
            if (self.folder / "data" / "postmaster.pid").exists():
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *statements: str) -> None:
        """Run statements outside of a transaction."""
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def _call(self, program: str, *arguments: str) -> None:
        programs = _programs()
        assert programs is not None
        done = subprocess.run(
            [programs / program, "-D", str(self.folder / "data"), *arguments],
            check=False,
            user=self._user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def running(connections: int = 100) -> Iterator[sa.URL]:
    """Run a fresh server and yield the address of a database in it."""
    server = Postgres(connections)
    try:
        server.start()
        yield server.url
    finally:
        server.close()


def _kill(folder: Path) -> None:
    file = folder / "data" / "postmaster.pid"
    parent = psutil.Process(int(file.read_text().split()[0]))
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=20)
    file.unlink(missing_ok=True)


def _end_orphans() -> None:
    """End servers whose test was killed: as daemons they outlive it."""
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        with contextlib.suppress(OSError, ValueError):  # another run ends it, or it is not ours
            if psutil.pid_exists(int(owner.read_text())):
                continue
            with contextlib.suppress(OSError, psutil.Error):
                if _serves(owner.parent):
                    _kill(owner.parent)
            shutil.rmtree(owner.parent, ignore_errors=True)


def _serves(folder: Path) -> bool:
    """Tell whether the process that a folder names is its server, and not another by now."""
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    return str(folder / "data") in psutil.Process(pid).cmdline()


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
