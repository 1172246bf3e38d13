"""`linli broker keep`: beside the broker, does what boxes that join and leave need of it."""

from __future__ import annotations

import shlex
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa

from ingest.audit import book as audit
from ingest.joining import book
from ingest.joining.book import Task
from ingest.settings import IngestSettings, load_settings
from linli.broker.authority import Authority
from linli.broker.files import Drift, drift, needed, replace
from linli.broker.passwords import is_digest
from linli.broker.requests import public_key_of
from linli.cli.broker.certificates import AUTHORITY, publish
from linli.cli.broker.render import SECRETS, note, prepare, wanted_files
from linli.cli.broker.roster import roster_of, server_of
from linli.cli.ingest.folder import state
from linli.cli.ingest.options import config_option
from linli.clock import SystemClock
from linli.errors import InputError, LinliError
from linli.log import get_logger, set_up
from linli.settings import make_folder

log = get_logger(__name__)
_MOST = 100
_PATIENCE = 30.0
_WHO = "keeper:"


@dataclass(slots=True)
class Owed:
    """What was done and not written down yet, and whether the broker has to be told of it."""

    tasks: list[Task] = field(default_factory=list)
    files: list[Drift] = field(default_factory=list)
    reload: bool = False


_ACTS = {
    "certificates": {
        "issue": "certificate-signed",
        "revoke": "certificate-revoked",
        "refused": "certificate-refused",
    },
    "passwords": {
        "issue": "broker-password-set",
        "revoke": "broker-password-ended",
        "refused": "broker-password-refused",
    },
}


@click.command(
    epilog="Example: linli broker keep --config ingest.toml --reload 'systemctl reload mosquitto'"
)
@click.option("--reload", "command", help="How the broker is told to read its files again")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
@click.option("--every", type=click.FloatRange(0.2, 60), default=5.0, show_default=True)
@click.option("--once", is_flag=True, help="Look once, then end")
@config_option
def keep(config: Path, command: str | None, days: int, every: float, *, once: bool) -> None:
    """Sign what boxes that joined ask for, revoke those that were shut out, render, reload.

    Where the broker takes passwords it gives it the digests that boxes send, instead of signing.

    It alone has the authority's key, as root beside the broker: the ingest, which the network
    reaches, never has. What is asked is done within --every seconds. It never restarts the broker,
    and says when that is needed.
    """
    set_up("broker-keep")
    settings, told = load_settings(config), shlex.split(command or "")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if once:
        look(settings, told, days=days, owed=Owed())
        return
    # One that was killed may have rendered what the broker was never told of.
    owed = Owed(reload=bool(told))
    failed = ""
    while not stop.is_set():
        try:
            look(settings, told, days=days, owed=owed)
            failed = ""
        except LinliError as error:
            if str(error) != failed:
                log.error("%s; trying again", error)  # noqa: TRY400 - it says what is wrong
            failed = str(error)
        stop.wait(every)


def look(settings: IngestSettings, told: list[str], *, days: int, owed: Owed) -> None:
    """Do all that is to be done now. Raises LinliError; what it did not tell yet is in `owed` then.

    What is owed is told first the next time: signing again whenever a broker that is down cannot
    reload would make certificates without end, and revoking again would hit those made since.
    """
    now = SystemClock().now()
    if not owed.tasks:
        with state(settings) as connection:
            tasks = book.undone(connection, _MOST)
        owed.tasks.extend(_do(settings, one, now, days=days) for one in tasks)
    if settings.broker.access == "certificates":
        publish(settings)
    _render(settings, owed)
    owed.reload |= any(_is_for_broker(settings, one) for one in owed.tasks)
    if owed.reload:
        _reload(told)
        owed.reload = False
    note(settings, tuple(owed.files), who=_WHO)
    owed.files.clear()
    if owed.tasks:
        with state(settings) as connection:
            book.done(connection, owed.tasks, now)
            for one in owed.tasks:
                _note(connection, settings.broker.access, one, now)
    for one in owed.tasks:
        log.info("%s: %s %s", one.node, one.kind, one.refused or "done")
    owed.tasks.clear()


def _do(settings: IngestSettings, task: Task, now: datetime, *, days: int) -> Task:
    """Return a task with what became of it."""
    roster = roster_of(settings)
    # The web side, which asks, may be broken into: it may not become a service or another system.
    if task.node in roster.others or (task.kind == "issue" and task.node not in roster.edges):
        return msgspec.structs.replace(task, refused="it is no edge in use")
    folder = Path(settings.broker.folder)
    if settings.broker.access == "passwords":
        return _password(folder / SECRETS / task.node, task)
    authority = Authority(folder / AUTHORITY)
    if task.kind == "revoke":
        authority.revoke(task.node, now)
        return task
    try:
        key = public_key_of(task.request or "")
    except InputError as error:
        return msgspec.structs.replace(task, refused=error.what)
    entry, made = authority.sign(task.node, key, now, days=days)
    return msgspec.structs.replace(task, certificate=made.decode("ascii"), until=entry.until)


def _password(file: Path, task: Task) -> Task:
    """Take up or end what an identity proves itself with, where that is a password."""
    if task.kind == "revoke":
        file.unlink(missing_ok=True)  # rendering makes one that nobody knows
        return task
    digest = task.request or ""
    if not is_digest(digest):
        why = "this broker takes passwords, no certificates"
        return msgspec.structs.replace(task, refused=why)
    make_folder(file.parent)
    replace(file, f"{digest}\n".encode())
    return task


def _is_for_broker(settings: IngestSettings, task: Task) -> bool:
    """Tell whether the broker must read its files again for a task, also when they are written."""
    changes = task.kind == "revoke" or settings.broker.access == "passwords"
    return changes and task.refused is None


def _note(connection: sa.Connection, access: str, task: Task, now: datetime) -> None:
    """Write into the audit log what became of a task, in the commit that ends it."""
    acts = _ACTS[access]
    if task.refused is not None:
        audit.note(connection, now, _WHO, acts["refused"], task.node, why=task.refused)
        return
    detail = {} if task.public is None else {"key": task.public}
    if task.until is not None:
        detail["until"] = task.until.date().isoformat()
    audit.note(connection, now, _WHO, acts[task.kind], task.node, task=task.id, **detail)


def _render(settings: IngestSettings, owed: Owed) -> None:
    """Write what is not as it should be; what a file asks for is owed also if the next fails."""
    server, roster = server_of(settings), roster_of(settings)
    prepare(server, roster)
    wanted = wanted_files(server, roster)
    for one in drift(server.folder, wanted):
        step = needed((one,))
        owed.reload |= step == "reload"
        replace(server.folder / one.file, wanted[one.file].encode(), owner=server.run_as)
        owed.files.append(one)
        if step == "restart":
            log.warning("the broker must be restarted: its configuration changed")


def _reload(told: list[str]) -> None:
    """Tell the broker. Raises InputError when that fails: then nothing counts as done."""
    if not told:
        log.warning("the broker must be told to reload: kill -HUP, or give --reload")
        return
    try:
        done = subprocess.run(told, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"cannot be run ({error})", where="--reload") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[:200]
        raise InputError(f"failed with {done.returncode}: {said}", where="--reload")
