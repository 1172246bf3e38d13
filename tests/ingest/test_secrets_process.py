"""S29 of a real process: no secret in what `ps` shows, in its log, or in what a crash leaves."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest
from brokers import wait_for_port
from house import PASSWORDS, Folder

from linli.broker import free_port
from linli.process import linli_argv

CANARY = "canary-of-the-broker-4711"
WRONG = "canary-of-a-wrong-try-4711"


@pytest.mark.timeout(600)  # on a machine that does much else
def test_s29_ps_log_and_crash_of_a_real_process(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    folder.close()
    port = free_port()
    (tmp_path / "password").write_text(CANARY)
    (tmp_path / "password").chmod(0o600)
    config = tmp_path / "ingest.toml"
    config.write_text(
        f'data = "data"\n[site]\nid = "c001"\nlabel = "x"\n{folder.toml}[http]\nport = {port}\n'
        '[mqtt]\nport = 1\nusername = "svc-ingest"\npassword_file = "password"\n',
        encoding="utf-8",
    )
    right = PASSWORDS["boss"][1]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            linli_argv("ingest", "web", "--config", str(config)),
            cwd=tmp_path,
            env={**os.environ, "LINLI_LOG": "DEBUG"},
            stdout=log,
            stderr=log,
        )
        try:
            wait_for_port(port, process, 300)
            url = f"http://127.0.0.1:{port}"
            with httpx2.Client(base_url=url, timeout=60) as client:
                for word in (WRONG, right):
                    client.post("/api/v1/login", json={"name": "boss", "password": word})
                cookie = client.cookies["linli_session"]
                client.get(f"/api/v1/incidents?token={WRONG}", headers={"Authorization": WRONG})
                client.post("/api/v1/login", content=f'{{"password": "{WRONG}')
            seen = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            seen += Path(f"/proc/{process.pid}/environ").read_bytes()
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            process.send_signal(signal.SIGABRT)
            assert process.wait(60) == -signal.SIGABRT
        finally:
            process.kill()
            process.wait(60)
    (cores,) = [line.split() for line in limits.splitlines() if "core file" in line]
    assert cores[4:6] == ["0", "0"]
    seen += (tmp_path / "log").read_bytes()
    kept = b"".join(one.read_bytes() for one in (tmp_path / "data").rglob("*") if one.is_file())
    for secret in (CANARY, WRONG, right, cookie):
        assert secret.encode() not in seen
        assert secret.encode() not in kept
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith("core")]
