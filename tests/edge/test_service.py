"""What a service manager hears, on a socket of the test's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from linli.service import PARENT, ServiceManager, heard


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(10)
        yield ear


def test_it_hears_signs_of_life_how_we_do_and_the_end(ear: socket.socket, tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
    manager = ServiceManager.of(environment)
    assert environment == {}
    assert manager.patience == 30.0
    manager.starting(300)
    manager.alive("2 of 3 cameras stream\nREADY=0")
    manager.stopping()
    manager.close()
    assert ear.recv(999) == b"EXTEND_TIMEOUT_USEC=300000000"
    assert heard(ear.recv(999)) == {
        "READY": "1",
        "WATCHDOG": "1",
        "STATUS": "2 of 3 cameras stream READY=0",
    }
    assert ear.recv(999) == b"STOPPING=1"


def test_an_abstract_socket_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        name = f"linli-test-{os.getpid()}"
        ear.bind("\0" + name)
        ear.settimeout(10)
        manager = ServiceManager.of({"NOTIFY_SOCKET": "@" + name})
        manager.tell(READY="1")
        manager.close()
        assert ear.recv(99) == b"READY=1"


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/no/such/socket"}, {"NOTIFY_SOCKET": "nonsense"}],
)
def test_nobody_there_is_no_error(environment: dict[str, str]) -> None:
    manager = ServiceManager.of(environment)
    manager.alive("well")
    assert manager.patience is None
    manager.close()


def test_a_watchdog_of_another_process_is_not_ours(ear: socket.socket, tmp_path: Path) -> None:
    manager = ServiceManager.of(
        {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    )
    assert manager.patience is None
    manager.close()


def test_one_who_does_not_listen_holds_nobody_up(ear: socket.socket, tmp_path: Path) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    for _ in range(10_000):
        manager.alive("well")
    manager.close()


def test_a_parent_is_told_first() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    environment = {PARENT: str(theirs.detach()), "NOTIFY_SOCKET": "/run/systemd/notify"}
    manager = ServiceManager.of(environment)
    assert environment == {}
    manager.falling("no more memory")
    manager.close()
    assert heard(ours.recv(99)) == {"X_LINLI_WHY": "no more memory"}
    ours.close()
