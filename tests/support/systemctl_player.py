#!/usr/bin/python3
"""Stands for systemctl where systemd does not run: starts units as the accounts they name.

Knows daemon-reload, enable, disable, start, stop, restart, reload (a hang-up), also of a unit that
a package brought; one of Type=notify has started when it says so, of Type=forking when its command
ends. Everything else fails: who begins to need more is noticed.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNITS, SYSTEMS = Path("/etc/systemd/system"), Path("/lib/systemd/system")
RUNNING = Path("/run/player")


def settings(unit: str) -> dict[str, str]:
    """Return the lines of a unit by their names."""
    where = next(one for one in (UNITS, SYSTEMS) if (one / unit).exists())
    lines = (where / unit).read_text(encoding="utf-8").splitlines()
    return dict(one.split("=", 1) for one in lines if "=" in one and one[0] not in "#[")


def start(unit: str) -> None:
    """Start a unit and wait until it is ready."""
    said = settings(unit)
    if said.get("Type") == "forking":
        subprocess.run(shlex.split(said["ExecStart"]), check=True)
        (RUNNING / f"{unit}.pid").write_text(Path(said["PIDFile"]).read_text().strip())
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        where = f"/run/player/{unit}.{time.monotonic_ns()}"
        ear.bind(where)
        Path(where).chmod(0o777)
        environment = {"PATH": "/usr/sbin:/usr/bin"}
        if said.get("Type") == "notify":
            environment["NOTIFY_SOCKET"] = where
        with Path(f"/run/player/{unit}.log").open("ab") as log:
            child = subprocess.Popen(
                [one for one in shlex.split(said["ExecStart"]) if not one.startswith("$")],
                user=said["User"],
                group=said["Group"],
                extra_groups=[],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (RUNNING / f"{unit}.pid").write_text(str(child.pid))
        if said.get("Type") == "notify":
            ear.settimeout(120)
            while not ear.recv(4096).startswith(b"READY=1"):
                pass


def stop(unit: str) -> None:
    """Stop a unit and wait for its end."""
    kept = RUNNING / f"{unit}.pid"
    if not kept.exists():
        return
    pid = int(kept.read_text())
    kept.unlink()
    try:
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
            time.sleep(0.05)
    except OSError:
        pass


def main(act: str, *rest: str) -> None:
    """Do what is asked."""
    plain = [one for one in rest if one != "--now"]
    names = [one if "." in one else f"{one}.service" for one in plain]
    wants = UNITS / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    if act == "daemon-reload":
        return
    for unit in names:
        if act in {"stop", "restart"} or (act == "disable" and "--now" in rest):
            stop(unit)
        if act in {"start", "restart"} or (act == "enable" and "--now" in rest):
            start(unit)
        if act == "enable":
            (wants / unit).unlink(missing_ok=True)
            (wants / unit).symlink_to(UNITS / unit)
        if act == "disable":
            (wants / unit).unlink(missing_ok=True)
        if act == "reload":
            os.kill(int((RUNNING / f"{unit}.pid").read_text()), signal.SIGHUP)
        if act not in {"start", "stop", "restart", "reload", "enable", "disable"}:
            sys.exit(f"not played: {act}")


main(*sys.argv[1:])
