"""An OpenSSH server of our own for a test, which shows a folder by SFTP to one key."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60.0


def missing() -> str | None:
    """Return why there can be none here, None when there can."""
    for program in ("/usr/sbin/sshd", shutil.which("ssh-keygen") or "ssh-keygen"):
        if not Path(program).exists():
            return f"no {program} (Debian package openssh-server)"
    return None


@dataclass(frozen=True)
class SftpServer:
    port: int
    key_file: Path
    host_key: str

    def address(self, folder: Path) -> str:
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"


def make_key(path: Path) -> str:
    """Make a key pair; return the public one."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    kind, text, *_ = path.with_name(path.name + ".pub").read_text().split()
    return f"{kind} {text}"


@contextmanager
def running(folder: Path) -> Iterator[SftpServer]:
    """Run a server whose files are in an empty folder."""
    folder.mkdir()
    host_key = make_key(folder / "host")
    allowed = make_key(folder / "mine")
    (folder / "allowed").write_text(allowed + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "conf").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/allowed\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n"
    )
    with (folder / "log").open("wb") as log:
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "conf")]
        server = subprocess.Popen(argv, stderr=log)
    try:
        until = time.monotonic() + SECONDS
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, "sshd does not listen"
                time.sleep(0.05)
        yield SftpServer(port, folder / "mine", host_key)
    finally:
        server.terminate()
        server.wait(SECONDS)
