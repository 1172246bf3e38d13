"""A broker's files on disk: what would change, and the change, file by file whole or not at all."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from linli.durable import keep_names
from linli.errors import InputError

PASSWORDS = "passwords"
CONFIGURATION = "mosquitto.conf"
Step = Literal["nothing", "reload", "restart"]


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One file that is not as it should be; `lines` begin with + or - and hold no secret."""

    file: str
    what: Literal["missing", "different", "open to others"]
    lines: tuple[str, ...] = ()


def drift(folder: Path, wanted: Mapping[str, str]) -> tuple[Drift, ...]:
    """Return what is not as wanted. Raises InputError for a file that cannot be read."""
    found = []
    for name, text in wanted.items():
        path = folder / name
        there = read(path)
        if there is None:
            found.append(Drift(file=name, what="missing"))
        elif there != text:
            lines = tuple(_changes(name, there, text))
            found.append(Drift(file=name, what="different", lines=lines))
        elif path.stat().st_mode & 0o077:
            found.append(Drift(file=name, what="open to others"))
    return tuple(found)


def needed(found: tuple[Drift, ...]) -> Step:
    """Return what a running broker needs: rules and passwords are read again upon SIGHUP."""
    if any(one.file == CONFIGURATION and one.what != "open to others" for one in found):
        return "restart"
    return "reload" if any(one.what != "open to others" for one in found) else "nothing"


def read(path: Path) -> str | None:
    """Return a file's text, None when there is none. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None


def replace(path: Path, data: bytes, *, mode: int = 0o600, owner: str | None = None) -> None:
    """Write a file whole or not at all; only root can give it to an owner. Raises InputError."""
    try:
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fchmod(handle, mode)
                os.fsync(handle)
            give(Path(fresh), owner)
            Path(fresh).replace(path)
            keep_names(path.parent)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None


def give(path: Path, owner: str | None) -> None:
    """Give a file to the account that the broker runs as. Raises InputError when there is none."""
    if owner is None or os.geteuid() != 0:
        return
    try:
        shutil.chown(path, owner, -1)
    except LookupError:
        raise InputError(
            f"this machine has no account {owner!r}",
            where="broker.run_as",
            hint="Install mosquitto first, or name the account that it runs as",
        ) from None


def _changes(name: str, old: str, new: str) -> Iterator[str]:
    before, after = old.splitlines(), new.splitlines()
    if name == PASSWORDS:
        yield from _names(before, after)
        return
    for line in difflib.unified_diff(before, after, lineterm="", n=0):
        if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}:
            yield line


def _names(before: list[str], after: list[str]) -> Iterator[str]:
    """Yield identities only: nobody needs to see even the digest of a password."""
    old = dict(line.partition(":")[::2] for line in before)
    new = dict(line.partition(":")[::2] for line in after)
    yield from (f"-{name}" for name in sorted(old) if old[name] != new.get(name))
    yield from (f"+{name}" for name in sorted(new) if old.get(name) != new[name])
