"""The command against a real mosquitto and a real ingest: everything said arrives, once."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker
from click.testing import CliRunner
from estate import Estate, until

from ingest import spreadsheet
from linli.cli.main import command, main
from linli.cli.simulate.registry import ROWS
from linli.errors import InputError
from linli.process import linli_argv
from linli.settings import write_secret
from linli.simulate import wire
from linli.simulate.community import community
from linli.simulate.world import World

WHICH = ("--site", SITE, "--devices", "40", "--edges", "2")
MADE = community(SITE, 40, 2)
EDGES = [box.id for box in MADE.boxes]
HOUR = timedelta(hours=1)


class Simulated(Estate):
    """An estate whose broker knows the made-up edges, and whose registry knows their devices."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        passwords = {name: f"secret of {name}" for name in EDGES}
        users = {"svc-ingest": "one", "c001-n01": "two", **passwords}
        self.broker = RunningBroker(folder / "broker", users)
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        for name, password in passwords.items():
            write_secret(self.secrets / name, password)

    def register(self) -> None:
        """Bring in the list that the command prints."""
        printed = cli("simulate", "registry", *WHICH)
        listed = self.folder / "simulated.csv"
        listed.write_text(printed, encoding="utf-8")
        cli("ingest", "registry", "import", str(listed), "--apply", "--config", str(self.config))

    def play(self, *more: str) -> subprocess.Popen[str]:
        """Start the command."""
        port, secrets = str(self.broker.port), str(self.secrets)
        options = (*WHICH, "--port", port, "--secrets", secrets, "--json", *more)
        return subprocess.Popen(
            linli_argv("simulate", "run", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ids(world: World) -> set[tuple[str, str]]:
    """Return stream and id of every event that a world says."""
    numbers = Counter[str]()
    found = set()
    for said in (*world.step(world.end), *world.close(world.end)):
        stream = wire.stream_id(world.key, said.device.box, said.lane)
        numbers[stream] += 1
        if said.lane == "event":
            payload = wire.fact(said, stream, numbers[stream], 1)[1]
            found.add((stream, str(json.loads(payload)["id"])))
    return found


def cli(*words: str) -> str:
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    estate = Simulated(tmp_path_factory.mktemp("simulated"))
    try:
        estate.prepare()
        estate.register()
        estate.start_ingest()
        estate.wait_ready()
        yield estate
    finally:
        estate.close()


@NEEDS_MOSQUITTO
def test_an_hour_arrives_whole_and_becomes_incidents(estate: Simulated) -> None:
    start = (datetime.now(UTC) - HOUR).replace(microsecond=0)
    faults = {"ebike": 1, "bin-fire": 1, "camera-covered": 1}
    words = ",".join(f"{name}={count}" for name, count in faults.items())
    process = estate.play(
        *("--start", start.isoformat(), "--for", "1h", "--speed", "100000"),
        *("--seed", "7", "--faults", words),
    )
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said["facts"] == said["receipted"] > 500
    assert (said["unreceipted"], said["rejected"]) == (0, {})
    expected = ids(World(MADE, seed=7, start=start, length=HOUR, faults=faults))
    assert len(expected) >= 2 * len(faults)

    def stored() -> set[tuple[str, str]]:
        streams = {stream for stream, _ in expected}
        found = [(one["stream"], one["id"]) for one in estate.stored()]
        assert len(found) == len(set(found))
        return {one for one in found if one[0] in streams}

    until(lambda: stored() == expected)
    for event in ("ebike-in-elevator", "bin-fire", "camera-tampered"):
        until(lambda event=event: estate.get("/api/v1/incidents", event=event)["items"])


@NEEDS_MOSQUITTO
def test_ctrl_c_ends_it_cleanly(estate: Simulated) -> None:
    process = estate.play("--for", "2h", "--speed", "1", "--seed", "8")
    assert process.stderr is not None
    assert "edges connected" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said["facts"] == said["receipted"]
    assert said["end"] < (datetime.fromisoformat(said["start"]) + HOUR).isoformat()


def test_the_edges_are_listed() -> None:
    assert cli("simulate", "edges", *WHICH).split() == EDGES
    assert json.loads(cli("simulate", "edges", *WHICH, "--json")) == EDGES


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("--host", "192.0.2.1"), "--yes"),
        (("--host", "broker.example"), "--yes"),
        (("--faults", "flood"), "no fault 'flood'"),
        (("--faults", "ebike=9"), "cannot happen 9 times"),
        (("--start", "2026-03-02T07:00:00"), "offset"),
        (("--start", "never"), "offset"),
        (("--secrets", "nowhere"), "cannot be read"),
        (("--devices", "9"), "10 to 100000"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    options: tuple[str, ...], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "run", *WHICH, *options])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert rule in said
    assert "Traceback" not in said


def test_a_large_registry_comes_in_parts_that_can_be_taken_in_one_after_another() -> None:
    large = ("--site", SITE, "--devices", "10500", "--edges", "4")
    whole = cli("simulate", "registry", *large).splitlines()
    parts = [cli("simulate", "registry", *large, "--part", str(one)) for one in (1, 2)]
    rows = [part.splitlines() for part in parts]
    assert rows[0][0] == rows[1][0] == whole[0]
    assert len(rows[0]) == ROWS + 1
    assert sorted(rows[0][1:] + rows[1][1:]) == sorted(whole[1:])
    assert {one.partition(",")[0] for one in rows[1][1:]} == {"device"}
    assert max(len(part.encode()) for part in parts) <= spreadsheet.MOST_BYTES
    done = CliRunner().invoke(command, ("simulate", "registry", *large, "--part", "3"))
    assert isinstance(done.exception, InputError)
