"""This machine, as an installation changes it: accounts, folders, files, services."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from linli.durable import keep_names
from linli.errors import InputError

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_SHOWN = 5
_HAND = 'umask 077 && cat > "$1.new" && mv -f -- "$1.new" "$1"'


def run(
    argv: Sequence[str], *, account: str | None = None, given: str = "", keep: Sequence[int] = ()
) -> str:
    """Run a command to its end, as `account` or as root, and return what it printed.

    It reads `given`. One that inherits descriptors to `keep` is not to be cut short: it has a
    session of its own, so no terminal ends it.

    Raises InputError with the last lines it said when it fails.
    """
    user: dict[str, str | int | list[int]] = {}
    environment = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin"), "LANG": "C.UTF-8"}
    if account is not None:
        entry = pwd.getpwnam(account)
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        environment |= {"HOME": entry.pw_dir, "USER": account, "LOGNAME": account}
    done = subprocess.run(  # type: ignore[call-overload]
        list(argv),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd="/",
        pass_fds=tuple(keep),
        start_new_session=bool(keep),
        **user,
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
    """Make a folder and give it, with all that is in it, to the account.

    The account may have put into it what it likes: no link is followed, and a file that has another
    name elsewhere stays whose it is, or it could have any file of this machine given to it.
    """
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    entry = pwd.getpwnam(account)
    os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    for _, folders, files, handle in os.fwalk(path, follow_symlinks=False):
        for name in (*folders, *files):
            at = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISDIR(at.st_mode) or at.st_nlink == 1:
                os.chown(name, entry.pw_uid, entry.pw_gid, dir_fd=handle, follow_symlinks=False)
    return path


def guard(path: Path, account: str) -> None:
    """Leave a folder or a file to root, and let the account's group read it."""
    os.chown(path, 0, pwd.getpwnam(account).pw_gid, follow_symlinks=False)
    path.chmod(0o750 if path.is_dir() else 0o640)


def write(path: Path, text: str, *, mode: int = 0o644) -> bool:
    """Write a file into a folder of root's, whole also after a power cut.

    Tells whether that changed anything.
    """
    same = path.is_file() and path.read_text(encoding="utf-8") == text
    if not same:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            os.fchmod(handle, mode)
            opened.flush()
            os.fsync(handle)
        Path(fresh).replace(path)
        keep_names(path.parent)
    return not same


def hand(path: Path, text: str, account: str) -> None:
    """Write a secret into a folder of an account's, as that account: root follows no link of it."""
    run(["sh", "-c", _HAND, "hand", str(path)], account=account, given=text)
