from __future__ import annotations

import contextlib
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO, running_broker
from house import NOON
from receipts import USERS

from ingest.pulse import Patience, Pulse
from ingest.settings import Http, IngestSettings, load_settings
from ingest.store.engine import open_reader, reading
from ingest.store.files import path_of
from ingest.store.journal import CLOCK, messages_after
from ingest.supervise import MEMORY, check_port, supervise
from linli.broker import free_port
from linli.clock import ManualClock, SystemClock
from linli.errors import InputError
from linli.process import StopSignal, Supervisor, linli_argv


def write_config(folder: Path, extra: str = "") -> Path:
    config = folder / "ingest.toml"
    config.write_text(
        f'[site]\nid = "c001"\nlabel = "x"\n[mqtt]\nport = {free_port()}\n'
        f"[http]\nport = {free_port()}\n{extra}"
    )
    return config


def refused(config: Path) -> str:
    with pytest.raises(InputError) as caught:
        supervise(load_settings(config), config, StopSignal())
    return str(caught.value)


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    port = load_settings(config).http.port
    with socket.create_server(("127.0.0.1", port)):
        said = refused(config)
    assert f"127.0.0.1:{port}" in said
    assert "http.port" in said


def test_a_host_that_is_not_ours_is_said() -> None:
    with pytest.raises(InputError, match="cannot listen"):
        check_port("192.0.2.1", 8470)


def test_a_data_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert str(tmp_path / "data") in refused(write_config(tmp_path))


def test_a_missing_secret_is_said(tmp_path: Path) -> None:
    config = tmp_path / "ingest.toml"
    config.write_text(
        '[site]\nid = "c001"\nlabel = "x"\n[mqtt]\nusername = "a"\npassword_file = "none"\n'
    )
    assert "none" in refused(config)


def test_a_damaged_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_bytes(b"not a database at all" * 100)
    config = write_config(tmp_path)
    done = subprocess.run(
        linli_argv("ingest", "run", "--config", str(config)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "journal.db" in done.stderr


def children(parent: psutil.Process) -> dict[str, psutil.Process]:
    found = {}
    for child in parent.children():
        with contextlib.suppress(psutil.Error):
            line = child.cmdline()
            found[next((one for one in ("receiver", "web") if one in line), "?")] = child
    return found


def until(condition: object, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def test_the_fallen_is_restarted_and_all_end_together(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    process = subprocess.Popen(
        linli_argv("ingest", "run", "--config", str(config)), stderr=subprocess.DEVNULL
    )
    try:
        parent = psutil.Process(process.pid)
        until(lambda: {"receiver", "web"} <= children(parent).keys())
        first = children(parent)
        os.kill(first["receiver"].pid, signal.SIGKILL)
        until(
            lambda: children(parent).get("receiver", first["receiver"]).pid != first["receiver"].pid
        )
        family = [parent, *children(parent).values()]
    finally:
        process.terminate()
        code = process.wait(45)
    assert code == 0
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


@pytest.mark.parametrize(
    ("now", "answered", "over"),
    [
        (399.0, None, False),  # still starting
        (401.0, None, True),
        (399.0, 99.0, False),  # what the one before it answered says nothing
        (401.0, 99.0, True),
        (210.0, 150.0, False),
        (211.0, 150.0, True),
    ],
)
def test_a_process_is_given_up_when_it_was_silent_for_long(now, answered, over: bool) -> None:
    patience = Patience(silent=60, starting=300)
    assert patience.over(now, 100.0, answered) is over


@pytest.mark.parametrize(
    ("said", "alive"), [(b"HTTP/1.1 503 Service Unavailable\r\n\r\n", True), (b"no", False)]
)
def test_any_answer_is_one_but_it_must_be_an_answer(said: bytes, alive: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        http = Http(host="0.0.0.0", port=server.getsockname()[1], path_prefix="/linli")
        pulse = Pulse(http, ManualClock(NOON), Patience(answer=5))
        heard: list[bytes] = []

        def answer() -> None:
            way, _ = server.accept()
            with way:
                heard.append(way.recv(100))
                way.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        assert pulse._answers() is alive
        thread.join()
    assert heard[0].startswith(b"GET /linli/healthz HTTP/")
    assert pulse._answers() is False, "nobody listens there any more"


def test_a_machine_that_stood_still_is_no_silence() -> None:
    clock = ManualClock(NOON)
    patience = Patience(pause=0.001, silent=60, starting=300)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        pulse = Pulse(Http(port=port), clock, patience)
        started = clock.monotonic()
        server.settimeout(10)
        pulse.start()
        for hours in (0, 5):
            way, _ = server.accept()
            with way:
                clock.advance(hours * 3600)
                assert not pulse.lost(started)
                way.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    until(lambda: pulse._unanswered > 0)  # from here on nobody listens
    assert not pulse.lost(started)
    clock.advance(61)
    until(lambda: pulse.lost(started))
    pulse.stop()


def test_a_web_process_that_hangs_is_started_again(tmp_path: Path, caplog) -> None:
    config, stop = write_config(tmp_path), StopSignal()
    settings = load_settings(config)
    heard = threading.Event()

    class Heard(Patience):
        def over(self, now: float, started: float, answered: float | None) -> bool:
            if answered is not None and answered >= started:
                heard.set()  # from here on silence counts, no longer the time to start
            return super().over(now, started, answered)

    patience = Heard(pause=0.1, answer=1.0, silent=3.0, starting=120.0)
    thread = threading.Thread(target=supervise, args=(settings, config, stop, patience))
    me = psutil.Process()

    def web() -> psutil.Process | None:
        return children(me).get("web")

    answers = Pulse(settings.http, SystemClock(), patience)._answers
    thread.start()
    try:
        assert heard.wait(60)
        hung, receiver = web(), children(me)["receiver"]
        assert hung is not None
        assert MEMORY.items() <= hung.environ().items()
        hung.suspend()
        until(lambda: not hung.is_running())
        until(answers, 60)
        again = web()
        assert again is not None
        assert again.pid != hung.pid
        assert children(me)["receiver"] == receiver, "the receiver went on"
    finally:
        stop.set()
        thread.join(45)
    assert not thread.is_alive()
    assert "web does not answer any more; ending it by force" in caplog.text


def listened(settings: IngestSettings) -> int:
    """Return the last row by which the receiver says that it listens, 0 for none."""
    path = path_of(settings.folder, "journal")
    if not path.exists():
        return 0
    engine = open_reader(path)
    with reading(engine) as connection:
        rows = messages_after(connection, 0, 10_000)
    engine.dispose()
    return max((row.id for row in rows if row.kind == CLOCK), default=0)


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_receiver_that_hangs_is_started_again(tmp_path: Path, caplog) -> None:
    me, stop = psutil.Process(), StopSignal()
    patience = Patience(pause=600, silent=5, starting=300)
    (tmp_path / "secret").write_text(USERS["svc-ingest"])
    config = tmp_path / "ingest.toml"
    with running_broker(tmp_path / "broker", USERS) as broker:
        config.write_text(
            f'[site]\nid = "c001"\nlabel = "x"\n[http]\nport = {free_port()}\n[mqtt]\n'
            f'port = {broker.port}\nusername = "svc-ingest"\npassword_file = "secret"\n'
        )
        settings = load_settings(config)
        thread = threading.Thread(target=supervise, args=(settings, config, stop, patience))
        thread.start()
        try:
            until(lambda: {"receiver", "web"} <= children(me).keys())
            until(lambda: listened(settings))
            hung, web = children(me)["receiver"], children(me)["web"]
            hung.suspend()
            before = listened(settings)
            until(lambda: not hung.is_running())
            until(lambda: listened(settings) > before)
            family = children(me)
        finally:
            stop.set()
            thread.join(45)
    assert not thread.is_alive()
    assert family["receiver"].pid != hung.pid
    assert family["web"] == web, "the web process went on"
    assert "receiver does not get on any more; ending it by force" in caplog.text


PASSWORDS = """
import threading, psutil
from ingest.accounts import passwords
before = psutil.Process().memory_info().rss
together = threading.Barrier(7)
def check():
    passwords.fits("wrong", None)
    together.wait()  # none ends early and leaves its memory to the next
threads = [threading.Thread(target=check) for _ in range(6)]
for one in threads: one.start()
together.wait()
print(psutil.Process().memory_info().rss - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_passwords_that_were_checked_hold_no_memory() -> None:
    argv = [sys.executable, "-c", PASSWORDS]
    done = subprocess.run(
        argv, env={**os.environ, **MEMORY}, check=True, capture_output=True, timeout=60
    )
    assert int(done.stdout) < 19 * 1024 * 1024


def test_who_does_not_run_is_not_ended() -> None:
    supervisor = Supervisor(ManualClock(NOON))
    supervisor.end_by_force("web", "is not there")
    assert supervisor.since("web") is None
    supervisor.stop()
