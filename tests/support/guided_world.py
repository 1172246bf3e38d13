"""Does what the guides say on a machine of its own: an overlay of this one with its own network.

Run as a program inside it, this does the steps that it reads from standard input one after the
other, as root, and prints what each said as a line of JSON; it ends with the first that fails.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

from guide_steps import GUIDES, Step, steps_of
from installed_world import MAKE, PREPARE, REPOSITORY, UNSHARE

SERVER, CAMERA, DISTRICT = "192.0.2.10", "192.0.2.20", "192.0.2.30"
"""Of a range that RFC 5737 keeps for documents: the machines of the guides."""
_NETWORK = f"""
ip link set lo up
ip address add {SERVER}/24 dev lo
ip address add {CAMERA}/24 dev lo
ip address add {DISTRICT}/24 dev lo
"""
_PLACEHOLDERS = {
    "ABCD-EFGH-JKMN": re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b"),
    "age1YOURKEY": re.compile(r"\bage1[a-z0-9]{50,}\b"),
}
"""What a reader puts their own in place of, and how it looks where it was printed last."""
_SPACE = [*UNSHARE, "--mount", "--net", "--pid", "--fork"]
_ANOTHER_BOX = "systemctl stop linli-edge; mv /var/lib/linli-edge /var/lib/linli-edge-of-n01"
_DATABASE = """
ln -s /opt/linli/bin/linli /usr/local/bin/linli
pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql | tail -n 1)" main start
"""
_BEFORE = {"edge-box": _ANOTHER_BOX, "district": _DATABASE}
"""What the one machine does to stand for the one that a guide is about, with a program that a guide
before it put there, and for its systemd."""
_WHERE = "/run/where"
_SHELL = f'set -eu; cd "$(cat {_WHERE})"; eval "$1"; pwd > {_WHERE}'


def followed(folder: Path, *guides: str) -> list[tuple[Step, dict[str, Any]]]:
    """Follow guides in a fresh one, in this order; return each step with what came of it."""
    steps = []
    for name in guides:
        steps += [Step(0, _BEFORE[name])] if name in _BEFORE else []
        steps += [one for one in steps_of(GUIDES / f"{name}.md") if one.left_out is None]
    packages = sysconfig.get_path("purelib")
    play = f'{PREPARE}exec /opt/linli/bin/python "$1"'
    inner = shlex.join(["bash", "-c", play, "inner", __file__, packages, str(REPOSITORY)])
    done = subprocess.run(
        [*_SPACE, "bash", "-c", f'{MAKE}{_NETWORK}exec chroot "$1/all" {inner}', "_", str(folder)],
        input="".join(json.dumps(one.commands) + "\n" for one in steps),
        capture_output=True,
        text=True,
        check=False,
        timeout=2400,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", "LANG": "C.UTF-8"},
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr[-3000:]
    return list(zip(steps, said, strict=False))


def main() -> None:
    """Do the steps of standard input."""
    Path(_WHERE).write_text("/", encoding="ascii")
    Path("/etc/apt/apt.conf.d/99guides").write_text('APT::Get::Upgrade "false";\n')  # no network
    camera = str(Path(__file__).with_name("rtsp_server.py"))
    cameras = subprocess.Popen(["/usr/bin/python3", camera, f"{CAMERA}:554"])
    learned: dict[str, str] = {}
    for line in sys.stdin:
        commands = json.loads(line)
        for mark, own in learned.items():
            commands = commands.replace(mark, own)
        begun = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", _SHELL, "guide", commands],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took = round(time.monotonic() - begun, 1)
        for mark, looks in _PLACEHOLDERS.items():
            for own in looks.findall(done.stdout):
                learned[mark] = own
        seen = {"code": done.returncode, "output": done.stdout, "seconds": took}
        sys.stdout.write(json.dumps(seen) + "\n")
        if done.returncode:
            break
    cameras.kill()


if __name__ == "__main__":
    main()
