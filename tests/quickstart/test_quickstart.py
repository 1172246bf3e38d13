"""Each quick start against a real mosquitto under its real rules and a real ingest.

The device appears and is confirmed, its event and its reading arrive, a door is held by staff; the
one in Python is confirmed and read by the very lines of the reference.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker
from estate import Estate, until
from node_packages import NODE, latest, locked

from ingest.accounts import book
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.broker import free_port
from linli.clock import SystemClock
from linli.settings import write_secret

QUICKSTART = Path(__file__).parents[2] / "docs" / "quickstart"
PASSWORD = "a lift that is held"
BOXES = ("c001-lift1", "c001-lift2", "c001-lift3")
pytestmark = [
    pytest.mark.broker,
    NEEDS_MOSQUITTO,
    pytest.mark.skipif(
        not QUICKSTART.is_dir(), reason="the quick starts are in a checkout only: run it in a clone"
    ),
]


class Lifts(Estate):
    """An estate whose broker knows the quick starts' boxes; its ingest knows nothing of them."""

    more_settings = (
        '[commands]\nenabled = true\nusername = "svc-command"\n'
        'password_file = "svc-command.secret"\n'
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        users = {"svc-ingest": "one", "c001-n01": "two", "svc-command": "three"}
        self.broker = RunningBroker(folder / "broker", users | dict.fromkeys(BOXES, "four"))
        write_secret(folder / "svc-command.secret", "three")

    def hire(self) -> None:
        engine = database_of(load_settings(self.config)).writer("state")
        with writing(engine) as connection:
            book.add_account(connection, "wang", "admin", SystemClock().now(), PASSWORD)
        engine.dispose()


@pytest.fixture(scope="module")
def lifts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lifts]:
    made = Lifts(tmp_path_factory.mktemp("lifts"))
    try:
        made.prepare()
        made.hire()
        made.start_ingest()
        made.wait_ready()
        yield made
    finally:
        made.close()


@contextmanager
def running(argv: list[str], folder: Path, **environment: str) -> Iterator[None]:
    log = folder / "device.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**os.environ, "LINLI_PASSWORD": "four", **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    except AssertionError as error:
        raise AssertionError(log.read_text()) from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def works(lifts: Lifts, box: str) -> None:
    """Follow a device from its first word to a door that it holds."""
    until(lambda: f"{box}/lift-1" in known(lifts))
    with httpx2.Client(base_url=lifts.url, timeout=30) as client:
        said = client.post("/api/v1/login", json={"name": "wang", "password": PASSWORD})
        headers = {"X-CSRF-Token": said.json()["csrf"]}
        for device in ("self", "lift-1"):
            path = f"/api/v1/devices/{box}/{device}/confirm"
            body = {"label": "一号梯", "subject": "b03/e1"}
            done = client.post(path, json=body, headers=headers)
            assert done.status_code in {200, 404}, done.text
        ours = f"/{SITE}/{box}/lift-1"
        until(lambda: len([one for one in lifts.stored() if one["source"] == ours]) == 2)
        until(lambda: f"{box}/lift-1/temperature" in series(lifts))
        made = client.post(
            f"/api/v1/devices/{box}/lift-1/commands/door-hold",
            json={"reason": "Test", "seconds": 2},
            headers=headers,
        )
        assert made.status_code == 202, made.text
        path = f"/api/v1/commands/{made.json()['id']}"
        until(lambda: client.get(path).json()["state"] in {"done", "failed", "timeout"})
        assert client.get(path).json()["state"] == "done"


REFERENCE = QUICKSTART.parent / "reference" / "README.md"


class Reader:
    """Types what the reference says under `What can be read`, as a shell takes it."""

    def __init__(self, lifts: Lifts) -> None:
        text = REFERENCE.read_text(encoding="utf-8").partition("## What can be read")[2]
        self.lines = text.partition("```sh\n")[2].partition("```")[0].splitlines()
        self.folder = lifts.folder
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "LINLI": lifts.url}

    def type(self, word: str) -> subprocess.Popen[str]:
        [line] = [one for one in self.lines if word in one]
        return subprocess.Popen(
            ["/bin/sh", "-c", f"exec {line}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def answer(self, word: str) -> str:
        return self.type(word).communicate(timeout=60)[0]


def reads_as_written(lifts: Lifts) -> None:
    """Follow the reference alone, from a token to the incident of a device nobody knew."""
    reader = Reader(lifts)
    reader.environment["TOKEN"] = reader.answer("token add").strip()
    until(lambda: '"discovered"' in reader.answer('/devices"'))
    assert "Lift 1" in reader.answer("/confirm"), reader.answer("/confirm")
    until(lambda: reader.answer("/events").count('"linli.event.door-blocked"') == 2)
    until(lambda: '"door-blocked"' in reader.answer("/incidents"))
    stream = reader.type("/stream")
    try:
        assert stream.stdout is not None
        assert any('"door-blocked"' in line for line in stream.stdout)
    finally:
        stream.kill()
        stream.communicate()


def series(lifts: Lifts) -> set[str]:
    found = lifts.get("/api/v1/series")["items"]
    return {f"{one['node']}/{one['device']}/{one['name']}" for one in found}


def known(lifts: Lifts) -> set[str]:
    return {f"{one['node']}/{one['device']}" for one in lifts.get("/api/v1/devices")["items"]}


def test_python(lifts: Lifts, tmp_path: Path) -> None:
    program = str(QUICKSTART / "python/lift.py")
    port = str(lifts.broker.port)
    with running([sys.executable, program, "--port", port, "--node", BOXES[0]], tmp_path):
        until(lambda: f"{BOXES[0]}/lift-1" in known(lifts))
        reads_as_written(lifts)
        works(lifts, BOXES[0])


def test_javascript(lifts: Lifts, tmp_path: Path) -> None:
    packages = locked(QUICKSTART / "javascript")
    program = shutil.copy2(QUICKSTART / "javascript/lift.mjs", packages)
    address = f"mqtt://127.0.0.1:{lifts.broker.port}"
    state = str(tmp_path / "lift.json")
    with running([NODE, str(program), address, SITE, "b03", BOXES[1], state], tmp_path):
        works(lifts, BOXES[1])


@pytest.mark.full
def test_node_red(lifts: Lifts, tmp_path: Path) -> None:
    red = latest("node-red") / "node_modules/node-red/red.js"
    port = free_port()
    (tmp_path / "settings.js").write_text(
        f'module.exports = {{ uiHost: "127.0.0.1", uiPort: {port}, credentialSecret: "x",'
        ' flowFile: "flow.json" };\n'
    )
    flow = json.loads((QUICKSTART / "node-red/flow.json").read_text(encoding="utf-8"))
    broker = next(one for one in flow if one["type"] == "mqtt-broker")
    broker["credentials"] = {"user": BOXES[2], "password": "four"}
    address = f"http://127.0.0.1:{port}"
    argv = [NODE, str(red), "-u", str(tmp_path), "-s", str(tmp_path / "settings.js")]
    place = {"LINLI_HOST": "127.0.0.1", "LINLI_PORT": str(lifts.broker.port)}
    with running(argv, tmp_path, **place):
        until(lambda: answers(address))
        done = httpx2.post(f"{address}/flows", json=flow, timeout=30)
        assert done.status_code == 204, done.text
        works(lifts, BOXES[2])


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/flows", timeout=5).status_code == 200
    except httpx2.HTTPError:
        return False


def test_the_flow_is_what_node_red_imports() -> None:
    flow: list[dict[str, Any]] = json.loads(
        (QUICKSTART / "node-red/flow.json").read_text(encoding="utf-8")
    )
    ids = {one["id"] for one in flow}
    assert len(ids) == len(flow)
    for one in flow:
        assert isinstance(one["type"], str)
        if one["type"] in {"tab", "mqtt-broker"}:
            continue
        assert {"z", "x", "y", "wires"} <= one.keys()
        assert one["z"] in ids
        assert {target for wires in one["wires"] for target in wires} <= ids
        assert one.get("broker", "broker") in ids
    assert not any("credentials" in one for one in flow)
    code = next(one["func"] for one in flow if one["type"] == "function")
    script = f"new Function('msg', 'context', 'node', {json.dumps(code)})"
    subprocess.run([NODE, "-e", script], check=True, timeout=60)
