"""A real server that speaks S3 for tests: Debian's OpenStack Swift in a folder, on free ports."""

from __future__ import annotations

import contextlib
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.backup_settings import BackupPlace

PYTHON = "/usr/bin/python3"  # Swift belongs to the system's Python
BUCKET = "estate"
_SECONDS = 60.0
_SECRETS = {"test:tester": "testing", "test:reader": "reading"}


def missing(folder: Path) -> str | None:
    """Return why there can be none in this folder, None when there can."""
    argv = [PYTHON, "-c", "import swift.common.middleware.s3api"]
    try:
        found = subprocess.run(argv, capture_output=True, timeout=_SECONDS, check=False).returncode
    except OSError:
        found = 1
    if found:
        return "no OpenStack Swift here: apt-get install --no-install-recommends python3-swift"
    try:
        os.setxattr(folder, "user.linli", b"")
    except OSError:
        return f"{folder} keeps no extended attributes, which Swift needs: set TMPDIR to another"
    return None


class SwiftHouse:
    """One that may be ended and started again on the same files; its port changes then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Run it until it answers, with the bucket, which `test:reader` may read."""
        script = Path(__file__).with_name("swift_server.py")
        argv = [PYTHON, str(script), str(self.folder)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, "Swift did not start; what it said is on stderr"
        self.port = int(said)
        self._ask("PUT", BUCKET, **{"X-Container-Read": "test:reader"})

    def ended(self) -> None:
        """Wait until it fell by itself."""
        assert self._process is not None
        self._process.communicate(timeout=_SECONDS)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def place(self, folder: Path, prefix: str = "", key: str = "test:tester") -> BackupPlace:
        """Return a place of its bucket, whose secret lies in the folder."""
        secret = folder / f"secret-{key.partition(':')[2]}"
        secret.write_text(_SECRETS[key])
        return BackupPlace(
            to=f"s3://{BUCKET}{prefix}",
            endpoint=f"http://127.0.0.1:{self.port}",
            access_key=key,
            secret_file=str(secret),
        )

    def listed(self, container: str = BUCKET) -> list[str]:
        """Return what Swift itself has there, beside any S3."""
        return self._ask("GET", container).splitlines()

    def _ask(self, method: str, container: str, **headers: str) -> str:
        base, (user, key) = f"http://127.0.0.1:{self.port}", next(iter(_SECRETS.items()))
        known = {"X-Auth-User": user, "X-Auth-Key": key}
        request = urllib.request.Request(f"{base}/auth/v1.0", headers=known)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            token, url = answer.headers["X-Auth-Token"], answer.headers["X-Storage-Url"]
        headers["X-Auth-Token"] = token
        request = urllib.request.Request(f"{url}/{container}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return str(answer.read(), "utf-8")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[SwiftHouse]:
    """Run one whose files are in an existing folder; skip, saying why, where there can be none."""
    if why := missing(folder):
        pytest.skip(why)
    house = SwiftHouse(folder)
    try:
        house.start()
        yield house
    finally:
        house.close()
