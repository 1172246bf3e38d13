"""`linli edge` as a process: what it says, how it ends, and what bad input looks like."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker, running_broker
from receipts import NODE, USERS, ReceiptSender
from vision import bright_square_model, model_of_unknown_family, square_clip

from linli.process import linli_argv

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 120.0
pytestmark = pytest.mark.timeout(300)


class Site:
    """A folder with settings, model and clip; starts `linli edge` on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = str(square_clip(folder / "clip.mp4", seconds=6, enters=1, leaves=4))
        self.model = str(bright_square_model(folder / "model.onnx"))
        self.port = 9
        self.extra = ""
        self.camera = ""
        self.data = "data"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        config = self.folder / "edge.toml"
        (self.folder / "secret").write_text(USERS[NODE])
        config.write_text(
            f'data = "{self.data}"\n{self.extra}\n'
            f'[node]\nsite = "{SITE}"\narea = "b03"\nid = "{NODE}"\n'
            f'[mqtt]\nport = {self.port}\nusername = "{NODE}"\npassword_file = "secret"\n'
            "[status]\nport = 0\n"
            f'[model]\nfile = "{self.model}"\n'
            f'[[camera]]\nid = "cam"\nlabel = "门 Door"\nsource = "{self.source}"\n{self.camera}\n'
            '[[camera.zone]]\nid = "middle"\nanchor = "center"\n'
            "points = [[0.25, 0.0], [0.75, 0.0], [0.75, 1.0], [0.25, 1.0]]\n"
            '[[camera.scenario]]\nevent = "zone-dwell"\nlabels = ["person"]\nzone = "middle"\n'
        )
        return subprocess.Popen(
            linli_argv("edge", *arguments, "--config", str(config)),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "broker", USERS) as broker:
        yield broker


def _serve(process: subprocess.Popen[str], ingest: ReceiptSender) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        ingest.turn()


def _lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_clip_is_played_delivered_and_accounted_for(site: Site, broker: RunningBroker) -> None:
    site.port, site.camera = broker.port, 'speed = "max"'
    ingest = ReceiptSender(broker.port)
    process = site.start("run", "--json")
    _serve(process, ingest)
    out, err = process.communicate()
    ingest.close()
    assert (process.returncode, err) == (0, "")
    lines = _lines(out)
    kinds = [line["kind"] for line in lines]
    assert kinds == ["camera", "event", "event", "camera", "summary"]
    begin, end = lines[1], lines[2]
    assert (begin["event"], begin["phase"], end["phase"]) == ("zone-dwell", "begin", "end")
    stored = {json.loads(payload)["id"] for payload in ingest.kept.values()}
    assert {begin["id"], end["id"]} <= stored
    assert lines[-1]["events_produced"] == 2
    assert lines[-1]["spool"]["events"] == {"pending": 0, "evicted": 0, "dead": 0}


@pytest.mark.broker
@NEEDS_MOSQUITTO
def test_a_signal_ends_it_politely(site: Site, broker: RunningBroker) -> None:
    site.port, site.source = broker.port, "pattern:square"
    ingest = ReceiptSender(broker.port)
    process = site.start("run", "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["state"] == "streaming"
    process.send_signal(signal.SIGTERM)
    _serve(process, ingest)
    out, err = process.communicate()
    ingest.close()
    assert (process.returncode, err) == (0, "")
    assert _lines(out)[-1]["kind"] == "summary"


def test_what_is_not_delivered_is_said_and_kept(site: Site) -> None:
    site.camera = 'speed = "max"'
    code, out, err = site.run("run", "--json", "--drain", "0")
    assert code == 1
    assert "3 facts and 0 pictures left to send" in err.splitlines()[-1]
    assert _lines(out)[-1]["spool"]["events"]["pending"] == 2


def test_check_tries_everything_and_sends_nothing(site: Site) -> None:
    code, out, err = site.run("check")
    assert (code, err) == (0, "")
    assert re.search(r"^clock \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", out, re.MULTILINE)
    assert "camera cam: 416x240" in out
    assert not (site.folder / "data" / "spool.db").exists()


@pytest.mark.parametrize(
    ("command", "attribute", "value", "words"),
    [
        ("run", "source", "none.mp4", "no such video file"),
        ("check", "source", "none.mp4", "cameras cannot be used"),
        ("run", "source", "text.mp4", "not a video"),
        ("run", "model", "text.mp4", "not an ONNX model"),
        ("check", "model", "strange.onnx", "strange.onnx"),
        ("run", "extra", "colour = 1", "unknown setting 'colour'"),
        ("run", "data", "text.mp4/x", "cannot write into this folder"),
        ("run", "camera", "speed = 1000", "speed"),
    ],
)
def test_bad_input_is_one_clear_line(
    site: Site, command: str, attribute: str, value: str, words: str
) -> None:
    (site.folder / "text.mp4").write_text("this is no video")
    model_of_unknown_family(site.folder / "strange.onnx")
    setattr(site, attribute, value)
    code, _, err = site.run(command)
    assert code == 2
    assert words in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("linli: ")
    assert "Traceback" not in err
