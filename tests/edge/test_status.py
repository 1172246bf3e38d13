"""How an edge is right now: by HTTP, for Prometheus, on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import msgspec
import pytest
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families
from quick_ingest import NODE, QuickIngest

from edge import metrics
from edge.agent import Agent
from edge.agent.endpoint import MOST, Endpoint
from edge.lives import Lives
from edge.metrics import CATALOGUE, reference
from edge.settings import Camera, EdgeSettings, StatusAt
from edge.standing import DoorStanding, Standing, UploadStanding
from linli.cli.edge.status import status
from linli.clock import SystemClock
from linli.errors import LinkError, StoreError
from linli.events import ClockSync
from linli.process import StopSignal

PAGE = Path(__file__).parents[2] / "docs/reference/edge-metrics.md"
IN_CHECKOUT = pytest.mark.skipif(
    not PAGE.parent.is_dir(), reason="documents are in a checkout only: run it in a clone"
)
CAMERA = Camera(id="cam", label="x", source="pattern:empty", speed="max")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """How a real agent was after some seconds."""
    folder = tmp_path_factory.mktemp("status")
    settings = EdgeSettings(data=str(folder), node=NODE, camera=(CAMERA,))
    ingest, lives = QuickIngest(), Lives(2, "uplink fell")
    agent = Agent(settings, SystemClock(), version="1", connect=ingest.link, lives=lives)
    with agent:
        agent.run(StopSignal(), duration=0.5, drain=60)
        return agent.standing()


@contextmanager
def listening(found: Standing | LinkError | StoreError) -> Iterator[int]:
    def say() -> Standing:
        if isinstance(found, Standing):
            return found
        raise found

    with Endpoint(StatusAt(port=0), say) as endpoint:
        yield endpoint.listen(("127.0.0.1", 0))


def asked(folder: Path, port: int, *arguments: str, node: str = NODE.id) -> Result:
    config = folder / "edge.toml"
    config.write_text(
        f'[node]\nsite = "{NODE.site}"\narea = "{NODE.area}"\nid = "{node}"\n'
        f"[status]\nport = {port}\n"
    )
    return CliRunner().invoke(status, ["--config", str(config), *arguments])


def test_an_agent_says_how_it_is(standing: Standing) -> None:
    (camera,) = standing.cameras
    assert (camera.device, camera.lost_events) == ("cam", 0)
    assert camera.inferred > 0
    assert camera.turns == camera.inferred
    assert camera.age is not None
    assert camera.age < 60
    assert standing.model is not None
    assert standing.link.connected
    assert standing.pid == os.getpid()
    assert {"doors", "lamps", "sensors"} <= set(standing.parts)


def test_prometheus_can_read_all_of_it(standing: Standing) -> None:
    door = DoorStanding(device="lift-1", held=True, failed=False)
    text = metrics.text(msgspec.structs.replace(standing, doors=(door,))).decode()
    found = {one.name: one for one in text_string_to_metric_families(text)}
    assert set(found) == {one.name for one in CATALOGUE}
    (read,) = found["linli_edge_camera_frames_read"].samples
    assert read.labels == {"camera": "cam"}
    assert read.value == standing.cameras[0].read > 0
    withheld = found["linli_edge_camera_pictures_withheld"].samples
    assert {one.labels["reason"]: one.value for one in withheld} == standing.cameras[0].withheld
    assert {"late", "failed", "blind", "dark", "disk"} == set(standing.cameras[0].withheld)
    assert found["linli_edge_restarts"].samples[0].value == 2
    assert found["linli_edge_door_held"].samples[0].labels == {"door": "lift-1"}
    assert not found["linli_edge_pictures_sent"].samples, "none are sent: that is not zero"


@IN_CHECKOUT
def test_the_page_of_the_reference_is_current() -> None:
    if os.environ.get("LINLI_WRITE_DOCUMENTS"):
        PAGE.write_text(reference(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference(), "LINLI_WRITE_DOCUMENTS=1 writes it"


def test_it_is_answered_on_the_machine(standing: Standing) -> None:
    with listening(standing) as port:
        at = f"http://127.0.0.1:{port}"
        with httpx2.Client(trust_env=False) as client:
            said = client.get(f"{at}/status")
            assert msgspec.json.decode(said.content, type=Standing) == standing
            figures = client.get(f"{at}/metrics")
            assert figures.headers["content-type"].startswith("text/plain; version=0.0.4")
            assert client.get(f"{at}/etc/passwd").status_code == 404
            assert client.post(f"{at}/status").status_code == 501


def test_a_disk_that_fails_is_no_stack_trace() -> None:
    with listening(StoreError("disk I/O error", where="spool.db")) as port:
        said = httpx2.get(f"http://127.0.0.1:{port}/status", trust_env=False)
    assert (said.status_code, said.text) == (503, "spool.db: disk I/O error\n")


def test_an_address_in_use_is_said_and_gone_without(
    standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(standing) as port, Endpoint(StatusAt(port=port), lambda: standing):
        assert f"cannot listen on 127.0.0.1:{port}" in caplog.text
    assert MOST <= 16


def test_a_person_reads_what_runs(standing: Standing, tmp_path: Path) -> None:
    door = DoorStanding(device="lift-1", held=True, failed=True)
    with listening(msgspec.structs.replace(standing, doors=(door,))) as port:
        said = asked(tmp_path, port)
        for_machines = asked(tmp_path, port, "--json")
    assert said.exit_code == 0, said.output
    assert "started again 2 times (uplink fell)" in said.output
    assert "camera cam: " in said.output
    assert "door lift-1: held; its relay does not answer" in said.output
    assert "broker connected, ingest ready" in said.output
    assert msgspec.json.decode(for_machines.output, type=Standing).node == NODE.id


@pytest.mark.parametrize(
    ("sync", "said", "figure"),
    [
        ("synced", "10:00 UTC\n", 1.0),
        ("unsynced", "10:00 UTC; nothing (NTP) keeps it right", 0.0),
        ("holdover", "10:00 UTC; nothing (NTP) keeps it right", 0.0),
        (None, "10:00 UTC\n", None),
    ],
)
def test_a_clock_that_nothing_keeps_right_is_said(
    standing: Standing, tmp_path: Path, sync: ClockSync | None, said: str, figure: float | None
) -> None:
    at = datetime(2026, 3, 2, 17, 10, tzinfo=UTC)
    one = msgspec.structs.replace(standing, clocksync=sync, time=at)
    with listening(one) as port:
        assert f"clock 2026-03-02 17:{said}" in asked(tmp_path, port).output
    families = text_string_to_metric_families(metrics.text(one).decode())
    found = {family.name: [sample.value for sample in family.samples] for family in families}
    assert found["linli_edge_clock_synced"] == ([] if figure is None else [figure])


def test_a_key_that_is_not_trusted_is_said(standing: Standing, tmp_path: Path) -> None:
    upload = UploadStanding(waiting=2, key="11" * 8, strange_key="22" * 8)
    one = msgspec.structs.replace(standing, upload=upload)
    with listening(one) as port:
        said = asked(tmp_path, port).output
    assert f"pictures: 2 to send, sealed for key {'11' * 8}" in said
    assert f"another key, {'22' * 8}, is offered and not trusted" in said
    assert b"linli_edge_pictures_key_strange 1.0" in metrics.text(one)


def test_it_is_honest_when_nothing_or_another_runs(standing: Standing, tmp_path: Path) -> None:
    with listening(standing) as port:
        other = asked(tmp_path, port, node="c001-n99").exception
    assert isinstance(other, LinkError)
    assert "another edge answers there: c001/c001-n01" in str(other)
    nobody = asked(tmp_path, port)
    assert nobody.exit_code == 3
    assert "nothing runs here" in nobody.output
    assert isinstance(asked(tmp_path, 0).exception, LinkError)
