from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from ingest.settings import load_settings
from ingest.supervise import check_port, supervise
from linli.broker import free_port
from linli.errors import InputError
from linli.process import StopSignal, linli_argv


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
        timeout=30,
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


def until(condition: object, seconds: float = 30.0) -> None:
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
        code = process.wait(20)
    assert code == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
