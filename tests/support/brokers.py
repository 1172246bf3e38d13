"""Real brokers for tests: started on a free port, stoppable, killable, restartable."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linli.broker import BrokerPlan, find_mosquitto, free_port, plan_broker

SITE = "c001"
NEEDS_MOSQUITTO = pytest.mark.skipif(
    find_mosquitto() is None, reason="no mosquitto here: apt-get install mosquitto"
)


class RunningBroker:
    """A broker process that a test may kill and start again on the same port and files."""

    def __init__(
        self,
        folder: Path,
        users: dict[str, str],
        site: str = SITE,
        integrators: tuple[str, ...] = (),
    ) -> None:
        self._integrators = integrators
        self._folder = folder
        self._users = users
        self._site = site
        self.port = free_port()
        self.plan: BrokerPlan | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.plan = plan_broker(
            self._folder,
            site=self._site,
            port=self.port,
            users=self._users,
            integrators=self._integrators,
        )
        with (self._folder / "stderr.log").open("a") as errors:
            self._process = subprocess.Popen(self.plan.argv, stderr=errors)
        wait_for_port(self.port, self._process)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it, asked again: mosquitto forgets a SIGTERM that comes while it starts to listen."""
        if self._process is None:
            return
        for _ in range(10):
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
                return
        self.kill()
        raise AssertionError("mosquitto did not end in 10 s")


def wait_for_port(
    port: int, process: subprocess.Popen[Any] | None = None, seconds: float = 45.0
) -> None:
    """Wait until somebody listens; raise at once when the process that should has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise ChildProcessError(f"{process.args} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


@contextlib.contextmanager
def running_broker(
    folder: Path, users: dict[str, str], integrators: tuple[str, ...] = ()
) -> Iterator[RunningBroker]:
    broker = RunningBroker(folder, users, integrators=integrators)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
