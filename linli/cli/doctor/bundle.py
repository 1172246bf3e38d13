"""What somebody far away needs to help: findings, versions, counts, settings without their words.

No picture, no secret, no name: words of settings are left out, whatever they are, and rows of the
store are only counted. Findings and log are told without labels, names of people and secrets; ids
of boxes and plans stay.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import zipfile
from collections.abc import Collection, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path

import msgspec
import sqlalchemy as sa

from ingest.doctor.sources import opened
from ingest.repairs.finding import Finding
from ingest.settings import IngestSettings, load_settings
from ingest.store.engine import reading
from ingest.store.migrate import current
from linli.cli.doctor.veil import hidden_words, veiled
from linli.counted import counted
from linli.errors import InputError, StoreError
from linli.log import redact, redact_addresses

_LINES = 2000
_JOURNAL = ("journalctl", "--no-pager", "--output=short-iso", f"--lines={_LINES}", "--unit=linli-*")


def write(path: Path, config: Path, findings: Sequence[Finding], now: datetime) -> list[str]:
    """Write the bundle and return what is in it. Raises InputError, never over another file."""
    if path.exists():
        raise InputError("is there already", where=str(path), hint="Choose another name")
    parts, words = {"about.json": _json(_about(now))}, frozenset[str]()
    try:
        settings = load_settings(config)
    except InputError:
        pass  # the findings say what is wrong with them
    else:
        words = hidden_words(settings, now)
        parts["settings.json"] = _json(wordless(msgspec.to_builtins(settings)))
        parts["store.json"] = _json(_store(settings, now))
    parts["doctor.json"] = _json([_without(one, words) for one in findings])
    if log := _log():
        parts["log.txt"] = redact(veiled(log, words)).encode()
    try:
        path.touch(mode=0o600, exist_ok=False)  # no link that stands there either
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None
    return list(parts)


def wordless(value: object) -> object:
    """Return settings with numbers and switches as they are, and of every text only its length.

    A text may be a password, an address with one, or a name: no rule knows them all.
    """
    if isinstance(value, dict):
        return {name: wordless(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [wordless(one) for one in value]
    return f"({counted(len(value), 'character')})" if isinstance(value, str) else value


def _without(one: Finding, words: Collection[str]) -> Finding:
    texts = ((name, veiled(getattr(one, name), words)) for name in ("what", "about", "do"))
    return msgspec.structs.replace(one, **{name: redact_addresses(text) for name, text in texts})


def _about(now: datetime) -> dict[str, object]:
    needed = sorted({one.split(";")[0] for one in metadata.requires("linli") or ()})
    names = {_name(one) for one in needed}
    found = {one.name: one.version for one in metadata.distributions() if _name(one.name) in names}
    return {
        "at": now,
        "linli": metadata.version("linli"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "packages": dict(sorted(found.items())),
    }


def _name(requirement: str) -> str:
    """Return a distribution's name as it is compared."""
    bare = "".join(one if one.isalnum() or one in "-_." else " " for one in requirement)
    return (bare.split() or [""])[0].lower().replace("_", "-").replace(".", "-")


def _store(settings: IngestSettings, now: datetime) -> dict[str, object]:
    """Return tables with their rows, versions and sizes; what cannot be read says why."""
    disk = shutil.disk_usage(settings.folder) if settings.folder.is_dir() else None
    sizes = {one.name: one.stat().st_size for one in settings.folder.glob("*.db*")}
    found: dict[str, object] = {"disk_free": None if disk is None else disk.free, "sizes": sizes}
    try:
        with opened(settings, now) as sources:
            found |= {name: _tables(engine) for name, engine in sources.files.items()}
    except (StoreError, InputError) as error:
        found["error"] = redact(str(error))
    return found


def _tables(engine: sa.Engine) -> dict[str, object]:
    with reading(engine) as connection:
        count = sa.func.count()
        rows = {
            table: connection.scalar(sa.select(count).select_from(sa.table(table)))
            for table in sorted(sa.inspect(connection).get_table_names())
        }
    return {"version": current(engine), "rows": rows}


def _log() -> str:
    """Return the last lines of the services; nothing where there is no journal."""
    if shutil.which(_JOURNAL[0]) is None:
        return ""
    done = subprocess.run(_JOURNAL, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else ""


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
