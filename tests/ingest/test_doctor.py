"""`linli doctor`: each fault is caused for real, and told in plain words with a stable code."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from doctor_codes import every_code
from doctor_faults import put_report
from house import NODE, SITE, Folder
from patient import Patient, patient_in, row

from ingest.duty import book as papers
from ingest.influx import book
from ingest.influx.deliver import Refusal
from ingest.notify import outbox
from ingest.notify.note import Note
from ingest.repairs.finding import exit_code
from ingest.store import journal, series, state
from ingest.store.chain import probe
from ingest.store.engine import to_micros, writing
from ingest.store.incidents import incident
from ingest.store.notify import notifier
from ingest.store.registry import device, node, team
from linli.broker import free_port
from linli.cli.doctor.command import examine
from linli.cli.main import command
from linli.clock import ManualClock
from linli.codec import encode
from linli.events import LaneReport, Status
from linli.ids import uuid7


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    with patient_in(tmp_path) as one:
        yield one


def test_all_is_well(patient: Patient) -> None:
    found = patient.findings()
    assert patient.wrong() == {}
    assert exit_code(found.values()) == 0
    assert "2 probes made, 2 stored, 0 lost" in found["chain"].what
    assert {"settings", "folder", "disk", "ingest", "web", "broker", "receiver"} <= set(found)


def test_what_does_not_run_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    patient = Patient(folder, free_port(), free_port())
    wrong = patient.wrong()
    assert set(wrong) == {"ingest-down", "web-down", "broker-unreachable"}
    assert exit_code(wrong.values()) == 2
    folder.close()


def test_a_silent_receiver_and_a_broken_chain_are_told_with_since_when(patient: Patient) -> None:
    before = patient.folder.clock.now()
    with writing(patient.folder.journal) as connection:
        connection.execute(journal.counter.insert(), {"name": journal.PROBE_COUNTER, "value": 3})
    patient.folder.clock.advance(900)
    patient.report()
    wrong = patient.wrong()
    assert set(wrong) == {"receiver-silent", "chain-silent"}
    assert "3 probes made, 2 stored, 0 lost" in wrong["chain-silent"].what
    assert wrong["receiver-silent"].since == before
    assert wrong["chain-silent"].since == before + timedelta(seconds=55)
    started = patient.folder.clock.now().timestamp() - 10
    os.utime(patient.folder.path / "ingest.lock", (started, started))
    assert patient.findings()["chain-starting"].level == "warning"


@pytest.mark.parametrize(("why", "took", "step"), [("lost", 0.1, 2), ("slow", 11, 1)])
def test_a_chain_that_loses_or_is_slow(patient: Patient, why: str, took: float, step: int) -> None:
    now = patient.folder.clock.now()
    with writing(patient.folder.state) as connection:
        connection.execute(probe.delete())
        for number in range(4):
            made = now - timedelta(seconds=60 * (4 - number))
            values = {"id": str(number), "number": 1 + number * step, "made": made}
            values["shown"] = made + timedelta(seconds=took)
            connection.execute(probe.insert(), values)
    assert set(patient.wrong()) == {f"chain-{why}"}


def test_a_consumer_that_is_behind(patient: Patient) -> None:
    before = patient.folder.clock.now()
    patient.folder.put_event(patient.folder.event())
    for seconds, level in ((120, "warning"), (600, "bad")):
        patient.folder.clock.advance(seconds)
        patient.report()
        with writing(patient.folder.journal) as connection:
            connection.execute(
                journal.message.insert(), row(patient.folder.clock.now(), kind="clock")
            )
        found = patient.wrong()["consumer-behind"]
        assert (found.level, found.since) == (level, before)


def test_a_device_with_more_series_than_it_may_have(patient: Patient) -> None:
    key = {"site": SITE, "node": NODE, "device": "cam-e1", "group": "camera", "unit": "1"}
    with writing(patient.folder.series) as connection:
        connection.execute(series.series.insert(), [{**key, "name": f"n{n}"} for n in range(200)])
        position = {"name": "series", "position": 0, "poisoned": 0, "refused": 7}
        connection.execute(series.cursor.insert(), position)
    found = patient.wrong()["series-refused"]
    assert found.what == f"refused: 7 readings; {NODE}/cam-e1 has 200 series already"


def test_the_copy_in_influxdb(patient: Patient) -> None:
    patient.write(more='[influx]\nurl = "http://127.0.0.1:9"\n')
    now = patient.folder.clock.now()
    assert patient.wrong()["influx-behind"].since is None, "set, but the ingest not started again"
    with writing(patient.folder.state) as connection:
        book.start(connection, now)
        book.note(connection, "waiting", "cannot be reached (Connection refused)", now)
    away = patient.wrong()["influx-away"]
    assert (away.level, away.since) == ("warning", now)
    assert (
        "cannot be reached (Connection refused); 1 row and 0 steps of incidents to write"
        in away.what
    )
    with writing(patient.folder.state) as connection:
        book.note(connection, "refused", "answers 401: unauthorized", now)
        book.park(connection, [Refusal("m v=1 1", 400, "type conflict")], now)
    wrong = patient.wrong()
    assert set(wrong) == {"influx-refused", "influx-parked"}
    assert wrong["influx-refused"].level == "bad"
    with writing(patient.folder.state) as connection:
        book.note(connection, "ok", "", now)
        book.unpark(connection, [1])
    assert patient.wrong() == {}
    patient.folder.clock.advance(120)
    assert patient.wrong()["influx-behind"].since == now


def test_an_edge_that_is_silent_behind_or_of_another_version(patient: Patient) -> None:
    now = patient.folder.clock.now()
    waits = LaneReport(lane="events", pending=7, evicted=2, dead=1, oldest=now - timedelta(hours=1))
    patient.report(waits, agent="0.0.1")
    wrong = patient.wrong()
    assert set(wrong) == {"edge-backlog", "edge-gave-up", "edge-version"}
    assert wrong["edge-backlog"].since == now - timedelta(hours=1)
    with writing(patient.folder.state) as connection:
        connection.execute(node.update(), {"last_seen": now - timedelta(minutes=4)})
    silent = patient.wrong()["edge-silent"]
    assert (silent.level, silent.since) == ("bad", now - timedelta(minutes=4))
    with writing(patient.folder.state) as connection:
        connection.execute(node.update(), {"last_seen": None, "report": None, "status": None})
    assert set(patient.wrong()) == {"edge-never-heard"}


@pytest.mark.parametrize(("kind", "level"), [("camera", "bad"), ("lamp", "warning")])
def test_an_edge_that_was_switched_off(patient: Patient, kind: str, level: str) -> None:
    since = patient.folder.clock.now()
    stopped = encode(Status(state="stopped", session="00000001")).decode()
    with writing(patient.folder.state) as connection:
        connection.execute(node.update(), {"status": stopped})
        connection.execute(device.update(), {"kind": kind})
    for seconds, said in ((0, "warning"), (3600, level)):
        patient.folder.clock.advance(seconds)
        wrong = patient.wrong()
        assert "edge-silent" not in wrong
        assert (wrong["edge-off"].level, wrong["edge-off"].since) == (said, since)


def test_clocks_skipped_rows_quarantine_pictures(patient: Patient) -> None:
    folder = patient.folder
    now = folder.clock.now()
    with writing(folder.journal) as connection:
        connection.execute(
            journal.message.insert(), row(now, kind="clock", node="c001-n09", flags=journal.FUTURE)
        )
        connection.execute(
            journal.quarantine.insert(),
            {"sha256": "0", "received": to_micros(now), "size": 90_000_000, "payload": b""},
        )
    with writing(folder.state) as connection:
        connection.execute(state.cursor.update(), {"position": 2, "poisoned": 3})
        connection.execute(
            incident.insert(),
            {
                "id": "i",
                "number": 1,
                "key": "k",
                "node": NODE,
                "device": "d",
                "state": "open",
                "severity": "low",
                "urgency": 1,
                "last": now - timedelta(hours=1),
                "picture": uuid7(now),
                "body": "{}",
            },
        )
    wrong = patient.wrong()
    assert set(wrong) == {"edge-clock", "rows-skipped", "quarantine-full", "pictures-missing"}
    assert "c001-n09" in wrong["edge-clock"].what
    assert exit_code(wrong.values()) == 1


def test_a_clock_that_is_behind(patient: Patient) -> None:
    folder = patient.folder
    behind = ManualClock(folder.clock.now() - timedelta(hours=6))
    put_report(folder, behind)
    put_report(folder, ManualClock(folder.clock.now() - timedelta(hours=6)), node="c001-n09")
    one = patient.wrong()["edge-clock-behind"]
    was, now = behind.now(), folder.clock.now()
    assert one.what.startswith(f"the clock of {NODE} (")
    assert one.what.endswith(f") said {was:%F %R} at {now:%F %R} UTC")
    assert one.about == NODE, "of a box that is not in use nobody goes by its hours"
    put_report(folder, folder.clock)
    assert patient.wrong() == {}, "it was set right"


@pytest.mark.parametrize("seconds", [61, -59])
def test_a_report_long_under_way_is_no_wrong_clock(patient: Patient, seconds: int) -> None:
    put_report(patient.folder, patient.folder.clock)
    put_report(patient.folder, ManualClock(patient.folder.clock.now() - timedelta(seconds=seconds)))
    assert patient.wrong() == {}


def test_what_waited_or_is_over_tells_nothing_of_a_clock(patient: Patient) -> None:
    folder = patient.folder
    behind = ManualClock(folder.clock.now() - timedelta(hours=6))
    folder.put_event(folder.event(time=behind.now()))  # a fact of the spool
    put_report(folder, behind, flags=journal.REPLAYED)
    assert patient.wrong() == {}
    put_report(folder, behind)
    assert set(patient.wrong()) == {"edge-clock-behind"}
    patient.pass_time(301)
    assert "edge-clock-behind" not in patient.wrong()


def test_pictures_that_no_longer_fit(patient: Patient) -> None:
    patient.write(more="[evidence]\nmax_bytes = 2097152\n")
    now = patient.folder.clock.now()
    with writing(patient.folder.state) as connection:
        connection.execute(
            state.evidence.insert(),
            {
                **dict.fromkeys(("site", "node", "device", "redaction"), "x"),
                "id": "e",
                "received": now,
                "expires": now + timedelta(days=1),
                "sent_sha256": "0",
                "sha256": "0",
                "width": 1,
                "height": 1,
                "bytes": 2_000_000,
            },
        )
    assert set(patient.wrong()) == {"evidence-full"}


def test_a_secret_that_others_can_read(patient: Patient) -> None:
    secret = patient.folder.path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    text = patient.config.read_text()
    patient.config.write_text(
        text.replace("[mqtt]", '[mqtt]\nusername = "svc-ingest"\npassword_file = "secret"')
    )
    assert set(patient.wrong()) == {"secret-open"}
    secret.unlink()
    assert patient.findings()["secret-unusable"].level == "bad"


def test_settings_folder_and_files_that_cannot_be_used(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert [one.code for one in examine(tmp_path / "no.toml", None, now)] == ["settings-unusable"]
    config = tmp_path / "ingest.toml"
    config.write_text(f'data = "gone"\n[site]\nid = "{SITE}"\nlabel = "x"\n')
    codes = {one.code for one in examine(config, None, now)}
    assert {"folder-missing", "store-unreadable"} <= codes
    assert not (tmp_path / "gone").exists(), "the doctor changes nothing"


@pytest.mark.parametrize(("at", "told"), [("state_9999", "newer one"), ("state_0001", "migrate")])
def test_files_of_another_version(patient: Patient, at: str, told: str) -> None:
    with writing(patient.folder.state) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :at"), {"at": at})
    one = patient.wrong()["store-unreadable"]
    assert at in one.what
    assert told in one.do


def test_the_command_speaks_to_people_and_machines(patient: Patient) -> None:
    arguments = ["doctor", "--config", str(patient.config)]
    said = CliRunner().invoke(command, arguments)
    assert said.exit_code == 2  # by the real clock, everything here is long silent
    assert "!! " in said.output
    assert "residents " in said.output
    assert "since " in said.output
    told = CliRunner().invoke(command, [*arguments, "--json"])
    document = json.loads(told.output)
    assert document["exit"] == told.exit_code == 2
    levels = [one["level"] for one in document["findings"]]
    assert levels == sorted(levels, key=["bad", "warning", "ok"].index)
    assert len(CliRunner().invoke(command, [*arguments, "--all"]).output) > len(said.output)
    assert "Traceback" not in said.output


def test_whether_people_are_told(patient: Patient) -> None:
    assert "nobody is told" in patient.findings()["notify"].what
    bot = '[[notify.channels]]\ntype = "wecom-bot"\nname = "bot"\n'
    now = patient.folder.clock.now()
    patient.write(more=bot)
    assert set(patient.wrong()) == {"notify-silent", "notify-plans"}
    with writing(patient.folder.state) as connection:
        connection.execute(team.insert(), {"team": "gate", "label": "门岗"})
        routes = '{"routes": [{"team": "gate"}]}'
        papers.write(connection, "routes", papers.ONLY, routes, actor="cli", now=now)
    assert set(patient.wrong()) == {"notify-silent"}
    row = {"id": 1, "transition": 0, "audited": now, "requeued": 0, "overdue": 0, "words": ""}
    with writing(patient.folder.state) as connection:
        connection.execute(notifier.insert(), row)
    assert patient.wrong() == {}
    dead = Note(
        incident="i",
        call=1,
        kind="call",
        owner="team:gate",
        created=now,
        next_at=now,
        urgency=0,
        state="dead",
        reason="refused",
    )
    with writing(patient.folder.state) as connection:
        connection.execute(notifier.update().values(words="2 are late"))
        outbox.add(connection, [dead])
    assert set(patient.wrong()) == {"notify-trouble", "notify-dead"}


def test_every_code_is_in_the_page() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "doctor.md").read_text(encoding="utf-8")
    codes = every_code()
    assert len(codes) > 20
    assert codes == set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", page))


def test_an_edge_that_fell_has_no_model_or_no_disk(patient: Patient) -> None:
    patient.report(restarts=2, fell="uplink fell", model="model.onnx: not an ONNX model")
    wrong = patient.wrong()
    assert set(wrong) == {"edge-fell", "edge-model"}
    assert "2 times since its parent began: uplink fell" in wrong["edge-fell"].what
    assert wrong["edge-model"].what.endswith("model.onnx: not an ONNX model")
    patient.report(restarts=2, fell="uplink fell", uptime=7200)
    assert patient.wrong() == {}, "long ago"
    patient.report(diskfree=90_000_000)
    assert patient.wrong()["edge-disk"].level == "bad"
