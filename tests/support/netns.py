"""A network of our own for an edge: a namespace of the kernel, joined to this one by a cable."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest

PREFIX = "linli-test-"
NEAR, FAR = "198.18.77.1", "198.18.77.2"
"""Of a range that RFC 2544 keeps for tests: nobody's network."""


@dataclass(frozen=True, slots=True)
class Cable:
    """Two ends of a cable; `near` is here, `far` in the namespace `name`."""

    name: str
    near: str
    far: str

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with to run in the namespace."""
        return ("ip", "netns", "exec", self.name)

    def unplug(self) -> None:
        _run("ip", "link", "set", self.near, "down")

    def plug(self) -> None:
        _run("ip", "link", "set", self.near, "up")

    def narrow(self, rate: str, queue: str = "400ms") -> None:
        """Let no more than a rate through, each way; what waits longer than the queue is lost."""
        shape = ("root", "tbf", "rate", rate, "burst", "4kb", "latency", queue)
        _run("tc", "qdisc", "replace", "dev", self.near, *shape)
        _run(*self.inside, "tc", "qdisc", "replace", "dev", self.far, *shape)

    def dropped(self) -> int:
        """Return how many packets the narrow line has lost, both ways."""
        near = _run("tc", "-j", "-s", "qdisc", "show", "dev", self.near)
        far = _run(*self.inside, "tc", "-j", "-s", "qdisc", "show", "dev", self.far)
        return sum(int(one["drops"]) for said in (near, far) for one in json.loads(said))

    def widen(self) -> None:
        _run("tc", "qdisc", "del", "dev", self.near, "root")
        _run(*self.inside, "tc", "qdisc", "del", "dev", self.far, "root")


@contextmanager
def cable() -> Iterator[Cable]:
    """Lay a cable; skip the test, saying why, where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a network namespace: run it as root")
    if shutil.which("ip") is None or shutil.which("tc") is None:
        pytest.skip("needs ip and tc (Debian package iproute2)")
    _sweep()
    made = Cable(f"{PREFIX}{os.getpid()}", f"ln{os.getpid()}a", f"ln{os.getpid()}b")
    try:
        try:
            _run("ip", "netns", "add", made.name)
            peer = ("type", "veth", "peer", "name", made.far, "netns", made.name)
            _run("ip", "link", "add", made.near, *peer)
            _run("ip", "address", "add", f"{NEAR}/30", "dev", made.near)
            _run(*made.inside, "ip", "address", "add", f"{FAR}/30", "dev", made.far)
            _run(*made.inside, "ip", "link", "set", made.far, "up")
            made.plug()
            made.narrow("100mbit")
            made.widen()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield made
    finally:
        _remove(made)


def _remove(made: Cable) -> None:
    for command in (("link", "del", made.near), ("netns", "del", made.name)):
        subprocess.run(["ip", *command], check=False, capture_output=True)


def _sweep() -> None:
    """Remove what a run left that was killed."""
    listed = subprocess.run(["ip", "netns", "list"], check=False, capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        name = line.split()[0]
        number = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and number.isdigit() and not psutil.pid_exists(int(number)):
            _remove(Cable(name, f"ln{number}a", f"ln{number}b"))


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    return done.stdout
