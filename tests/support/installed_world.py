"""A machine of its own to install services on: an overlay of this one, thrown away afterwards.

Run as a program inside it, this installs, starts what the units name as the accounts they name,
waits until the chain is green and prints what it saw as JSON: systemd itself does not run there.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
_MAKE = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/all"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/all"
mount -t proc proc "$1/all/proc"
mount --rbind /dev "$1/all/dev"
"""
# A Python of the system itself, since services may read no home folder.
_INNER = """
/usr/bin/python3 -m venv --without-pip /opt/linli
printf '%s\\n' "$2" "$3" > "$(echo /opt/linli/lib/python3*/site-packages)/here.pth"
printf '#!/opt/linli/bin/python\\nimport sys\\nfrom linli.cli.main import main\\nmain()\\n' \\
  > /opt/linli/bin/linli
chmod 755 /opt/linli/bin/linli
exec /opt/linli/bin/python "$1"
"""
PROGRAM = "/opt/linli/bin/linli"
_SPACE = ["unshare", "--mount", "--pid", "--fork"]


def refused(folder: Path) -> str | None:
    """Say why no such machine can be made here, None when it can."""
    if os.geteuid() != 0:
        return "only root can make a machine of its own to install on"
    if not Path("/usr/sbin/mosquitto").exists():
        return "no mosquitto here: apt-get install mosquitto"
    system = _text(["/usr/bin/python3", "-c", "import sys; print(sys.version_info[:2])"])
    if system != str(sys.version_info[:2]):
        return f"the system's Python is {system or 'not there'}, not ours"
    made = subprocess.run(
        [*_SPACE, "bash", "-c", _MAKE, "make", str(folder)], capture_output=True, check=False
    )
    return None if made.returncode == 0 else "no overlay may be mounted here"


def installed(folder: Path, *hosts: str) -> dict[str, Any]:
    """Install into a fresh one and return what was seen."""
    packages = sysconfig.get_path("purelib")
    inner = shlex.join(["bash", "-c", _INNER, "inner", __file__, packages, str(REPOSITORY)])
    made = subprocess.run(
        [*_SPACE, "bash", "-c", f'{_MAKE}exec chroot "$1/all" {inner}', "make", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOSTS": " ".join(hosts)},
    )
    assert made.returncode == 0, made.stderr[-3000:]
    seen: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return seen


def _text(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _linli(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _started(unit: str, notify: str | None = None) -> subprocess.Popen[bytes]:
    """Start what a unit names, as the account it names."""
    lines = Path("/etc/systemd/system", unit).read_text(encoding="utf-8").splitlines()
    said = dict(one.split("=", 1) for one in lines if "=" in one and not one.startswith("#"))
    account, argv = said["User"], shlex.split(said["ExecStart"])
    environment = {"PATH": "/usr/sbin:/usr/bin"} | ({"NOTIFY_SOCKET": notify} if notify else {})
    return subprocess.Popen(
        argv, user=account, group=account, extra_groups=[], env=environment, cwd="/"
    )


def _green(seconds: float = 200) -> dict[str, str]:
    """Return each thing the doctor looked at and how it is, once the chain is green."""
    end = time.monotonic() + seconds
    while True:
        _, said = _linli("doctor", "--json", "--all", "--config", "/var/lib/linli/ingest.toml")
        levels = {one["code"]: one["level"] for one in json.loads(said)["findings"]}
        if levels.get("chain") == "ok" or time.monotonic() > end:
            return levels
        time.sleep(1)


def _modes() -> dict[str, str]:
    """Return owner and mode of every file of the installation that others could read."""
    found = {}
    for top in ("/var/lib/linli", "/var/lib/linli-broker", "/var/lib/linli-edge"):
        for path in (Path(top), *Path(top).rglob("*")):
            at = path.stat()
            found[str(path)] = f"{path.owner()} {at.st_mode & 0o777:o}"
    return found


def main() -> None:
    """Install, start, look, take away."""
    seen: dict[str, Any] = {}
    hosts = [part for one in os.environ["HOSTS"].split() for part in ("--host", one)]
    named = ("--site", "c001", "--label", "和园社区", *hosts)
    seen["nameless"] = _linli("service", "install", "server")
    seen["install"] = _linli("service", "install", "server", *named)
    settings = Path("/var/lib/linli/ingest.toml").read_bytes()
    seen["again"] = _linli("service", "install", "server", *named)
    seen["kept"] = Path("/var/lib/linli/ingest.toml").read_bytes() == settings
    seen["no-edge"] = _linli("service", "install", "edge")
    edge = ("--site", "c001", "--area", "b01", "--config", "/var/lib/linli-edge/edge.toml")
    seen["edge-init"] = _linli("edge", "init", *edge)
    seen["edge"] = _linli("service", "install", "edge")
    seen["modes"] = _modes()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("/run/ear")
        Path("/run/ear").chmod(0o777)
        running = [_started("linli-broker.service"), _started("linli-ingest.service", "/run/ear")]
        try:
            ear.settimeout(200)
            seen["ready"] = ear.recv(4096).decode()
            seen["levels"] = _green()
        finally:
            for one in reversed(running):
                one.terminate()
                one.wait(60)
    seen["asked"] = _linli("service", "uninstall")
    seen["uninstall"] = _linli("service", "uninstall", "--yes")
    units = sorted(one.name for one in Path("/etc/systemd/system").rglob("linli-*"))
    seen["left"] = {"units": units, "data": Path("/var/lib/linli/data/state.db").exists()}
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
