"""The machine: folder, disk, secret, and whether the broker can be reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from ingest.doctor import upgrade
from ingest.repairs.finding import Finding, well
from ingest.repairs.memory import BUDGET, Process, high
from ingest.repairs.room import RESERVE, low
from ingest.settings import IngestSettings
from ingest.store.space import free_of
from linli.errors import InputError

PATIENCE = 3.0
NOTHING = "Nothing that happens is stored or shown, and nobody is called; edges hold what they saw."


def look(settings: IngestSettings) -> Iterator[Finding]:
    """Yield what was found."""
    yield _folder(settings.folder)
    if settings.folder.is_dir():
        yield from _disk(settings.folder, settings.disk.least_free)
    yield from upgrade.look()
    yield _secret(settings)


def _folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding(
            code="folder-missing",
            level="bad",
            what=f"the data folder {folder} is not there",
            means=NOTHING,
            do="Check `data` in the settings; a new ingest makes the folder when it first runs",
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            code="folder-not-writable",
            level="bad",
            what=f"this user cannot write into {folder}",
            means=NOTHING,
            do="Give the folder to the user that runs the ingest, and run doctor as that user",
        )
    return well("folder", f"{folder} can be written")


def _disk(folder: Path, least: int) -> Iterator[Finding]:
    free = free_of(folder)
    if free is None:
        return
    said = f"{free / 1e9:.1f} GB are free on the disk of {folder}"
    if free >= low(least):
        yield well("disk", said)
        return
    yield Finding(
        code="disk-low",
        level="bad" if free < RESERVE else "warning",
        what=said,
        means=f"With less than {least / 1e9:.1f} GB the oldest readings go, then the oldest "
        "pictures. When it is full nothing new is stored; edges hold what they saw for a while.",
        do="Make room, or lower [evidence] max_bytes and days in the settings",
    )


def memory(process: Process, size: int) -> Finding:
    """Return whether a process of the ingest holds more memory than it may."""
    said = f"{process} holds {size / 1e6:.0f} MB of memory"
    if not high(process, size, before=False):
        return well("memory", said)
    first = "Live views end first. " if process == "web" else ""
    return Finding(
        code="memory-high",
        about=process,
        level="warning",
        what=f"{said}, {BUDGET[process] / 1e6:.0f} MB are usual at most",
        means=f"{first}Above the limit of its service it is ended and started again.",
        do="Restart the ingest when it suits; if it comes again, send `linli doctor --bundle`",
    )


def _secret(settings: IngestSettings) -> Finding:
    settings.mqtt_password()  # raises InputError, which the command tells of
    name = settings.mqtt.password_file
    if name is not None and Path(name).stat().st_mode & 0o077:
        return Finding(
            code="secret-open",
            level="warning",
            what=f"others on this machine can read {name}",
            means="Nothing yet; whoever reads it can speak to the broker as the ingest.",
            do=f"chmod 600 {name}",
        )
    return well("secret", "the broker password can be read by its owner alone")


def unusable(what: str, error: InputError) -> Finding:
    """Return what settings, a secret or a database that cannot be used means."""
    return Finding(
        code=f"{what}-unusable",
        level="bad",
        what=f"{error.where}: {error.what}" if error.where else error.what,
        means=f"The {'edge' if what.startswith('edge') else 'ingest'} does not start with it.",
        do=error.hint or "Mend what is named",
    )


def broker(settings: IngestSettings) -> Finding:
    """Return whether something listens at its address, within `PATIENCE`."""
    mqtt = settings.mqtt
    try:
        with socket.create_connection((mqtt.host, mqtt.port), PATIENCE):
            return well("broker", f"{mqtt.host}:{mqtt.port} can be reached")
    except OSError as error:
        return Finding(
            code="broker-unreachable",
            level="bad",
            what=f"the broker at {mqtt.host}:{mqtt.port} cannot be reached "
            f"({error.strerror or type(error).__name__})",
            means="Nothing comes in; edges act by themselves and hold what they saw.",
            do="Start the broker (`linli broker run`, or mosquitto), check host and port",
        )
