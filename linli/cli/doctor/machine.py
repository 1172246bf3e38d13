"""The machine and the processes: folder, disk, lock, ports. Nothing here needs a running ingest."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2

from ingest.settings import IngestSettings
from linli.cli.doctor.finding import Finding, well

DISK_BAD = 256 * 1024**2
DISK_LOW = 2 * 1024**3
PATIENCE = 3.0
_NOTHING = (
    "Nothing that happens is stored or shown, and nobody is called; edges hold what they saw."
)


def look(settings: IngestSettings) -> Iterator[Finding]:
    """Yield what was found."""
    yield _folder(settings.folder)
    if settings.folder.is_dir():
        yield _disk(settings.folder)
    yield _secret(settings)
    yield _running(settings.folder)
    yield _web(settings)
    yield _broker(settings)


def _folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding(
            code="folder-missing",
            level="bad",
            what=f"the data folder {folder} is not there",
            means=_NOTHING,
            do="Check `data` in the settings; a new ingest makes the folder when it first runs",
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            code="folder-not-writable",
            level="bad",
            what=f"this user cannot write into {folder}",
            means=_NOTHING,
            do="Give the folder to the user that runs the ingest, and run doctor as that user",
        )
    return well("folder", f"{folder} can be written")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB are free on the disk of {folder}"
    if free >= DISK_LOW:
        return well("disk", said)
    return Finding(
        code="disk-low",
        level="bad" if free < DISK_BAD else "warning",
        what=said,
        means="When it is full nothing new is stored; edges hold what they saw for a while.",
        do="Make room, or lower [evidence] max_bytes and days in the settings",
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


def _running(folder: Path) -> Finding:
    lock = folder / "ingest.lock"
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        pass
    except OSError:
        return well("ingest", "the ingest runs on this folder")
    return Finding(
        code="ingest-down",
        level="bad",
        what="no ingest runs on this data folder",
        means=_NOTHING,
        do="Start it with `linli ingest run`; its last lines say why it ended",
    )


def _web(settings: IngestSettings) -> Finding:
    host = settings.http.host if settings.http.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 - compared, not bound
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{settings.http.port}/healthz"
    try:
        status = httpx2.get(url, timeout=PATIENCE, trust_env=False).status_code
    except httpx2.HTTPError as error:
        return _web_down(f"{url} does not answer ({type(error).__name__})")
    if status != 200:
        return _web_down(f"{url} answers {status}")
    return well("web", f"{url} answers")


def _web_down(what: str) -> Finding:
    return Finding(
        code="web-down",
        level="bad",
        what=what,
        means="Pages do not open and incidents are not made. What edges send is still stored, if "
        "the receiver runs.",
        do="Look at the last lines of `linli ingest run`; it starts the web side again by itself",
    )


def _broker(settings: IngestSettings) -> Finding:
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
