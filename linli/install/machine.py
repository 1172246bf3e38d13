"""This machine, as an installation changes it: accounts, folders, files, services."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from linli.errors import InputError

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_SHOWN = 5


def run(argv: Sequence[str], *, account: str | None = None) -> str:
    """Run a command to its end, as `account` or as root, and return what it printed.

    Raises InputError with the last lines it said when it fails.
    """
    user: dict[str, str | int | list[int]] = {}
    environment = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin"), "LANG": "C.UTF-8"}
    if account is not None:
        entry = pwd.getpwnam(account)
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        environment |= {"HOME": entry.pw_dir, "USER": account, "LOGNAME": account}
    done = subprocess.run(  # type: ignore[call-overload]
        list(argv), capture_output=True, text=True, check=False, env=environment, cwd="/", **user
    )
    if done.returncode:
        last = " | ".join((done.stderr or done.stdout).strip().splitlines()[-_SHOWN:])
        raise InputError(f"failed: {last or done.returncode}", where=" ".join(argv))
    return str(done.stdout)


def booted() -> bool:
    """Tell whether systemd runs this machine; in an image or a container it does not."""
    return _BOOTED.is_dir()


def account_there(name: str) -> bool:
    """Tell whether this machine has the account and its group."""
    try:
        pwd.getpwnam(name)
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def folder_of(path: Path, account: str, *, mode: int = 0o700) -> Path:
    """Make a folder and give it, with all that is in it, to the account."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    for one in (path, *path.rglob("*")):
        shutil.chown(one, account, account)
    return path


def write(path: Path, text: str, *, mode: int = 0o644, account: str | None = None) -> bool:
    """Write a file whole; tell whether that changed anything."""
    same = path.is_file() and path.read_text(encoding="utf-8") == text
    if not same:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(mode)
        if account is not None:
            shutil.chown(fresh, account, account)
        fresh.replace(path)
    return not same
