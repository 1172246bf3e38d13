"""What Prometheus reads: every metric of the catalogue, by whoever may, and no secret in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import NODE, NOON, PASSWORDS, Folder, jpeg, running, sign_in
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from ingest.accounts import book as accounts
from ingest.app import create_app
from ingest.audit import book as audit
from ingest.door import book as door
from ingest.receive.writer import add_counts
from ingest.services.catalogue import CATALOGUE, reference
from ingest.store.engine import writing
from ingest.store.journal import turned_away

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def read(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_the_page_lists_what_there_is() -> None:
    if os.environ.get("LINLI_WRITE_DOCUMENTS"):
        PAGE.write_text(reference(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference(), "LINLI_WRITE_DOCUMENTS=1 writes it"


def test_figures_are_those_of_the_files(folder: Folder) -> None:
    counts = Counter({"rejected.json": 3, "duplicates": 2, "dropped": 1, "commit_micros": 1500})
    counts[turned_away(NODE)] = 4
    with writing(folder.journal) as connection:
        add_counts(connection, counts)
    with running(folder) as client:
        sign_in(client, "guest")
        with writing(client.app.state.house.state_writer) as connection:
            door.keep_retained(connection, 41, folder.clock.now())
        folder.put_event(folder.event(severity="critical"))
        for _ in range(500):
            client.app.state.house.wake()
            found = read(client)
            if found.get(("linli_stored_messages_total", ("event",))) == 1:
                break
        assert found["linli_receiver_rejected_total", ("json",)] == 3
        assert found["linli_receiver_duplicates_total", ()] == 2
        assert found["linli_receiver_turned_away_total", (NODE,)] == 4
        assert found["linli_receiver_dropped_total", ("unanswered",)] == 1
        assert found["linli_receiver_commit_seconds_total", ()] == 0.0015
        assert found["linli_incidents_unresolved", ("critical", "open")] == 1
        assert found["linli_incidents_unresolved", ("low", "open")] == 0
        assert found["linli_consumer_lag_rows", ("incidents",)] == 0
        assert found["linli_consumer_lag_seconds", ("incidents",)] == 0
        assert found["linli_feed_subscribers", ()] == 1  # the listener of the probes
        assert ("linli_probe_green", ()) not in found  # just started: nobody can know
        assert ("linli_probe_seconds", ("0.95",)) not in found
        names = {family for family, _ in found}
        for one in CATALOGUE:
            if one.name not in {"linli_probe_green", "linli_probe_seconds", "linli_stream_missing"}:
                assert one.name + "_total" * (one.kind == "counter") in names, one.name


def test_rows_of_the_audit_log_are_not_asked(folder: Folder) -> None:
    app = create_app(folder.settings, clock=folder.clock)
    with writing(folder.state) as connection:
        audit.note(connection, folder.clock.now(), "nobody:", door.ACT, "10.0.0.9")
    assert b"linli_broker_refused" in app.state.services.metrics.text()


def test_a_lag_has_rows_and_seconds(folder: Folder) -> None:
    app = create_app(folder.settings, clock=folder.clock)  # its consumers do not run
    with writing(folder.state) as connection:
        connection.exec_driver_sql("INSERT INTO cursor VALUES ('incidents', 0, 0)")
    for _ in range(3):
        folder.put_event(folder.event())
        folder.clock.advance(5)
    text = app.state.services.metrics.text().decode()
    assert 'linli_consumer_lag_rows{consumer="incidents"} 3.0' in text
    assert 'linli_consumer_lag_seconds{consumer="incidents"} 15.0' in text


def test_without_a_token_nobody_reads_it(folder: Folder) -> None:
    with running(folder) as client:
        assert client.get("/metrics").status_code == 401
        with writing(folder.state) as connection:
            token = accounts.add_token(
                connection, "guest", "prom", ["see"], now=NOON, lasts=timedelta(days=1)
            )
            other = accounts.add_token(
                connection, "boss", "act", ["act"], now=NOON, lasts=timedelta(days=1)
            )
        right = {"Authorization": f"Bearer {token}"}
        assert client.get("/metrics", headers=right).status_code == 200
        wrong = {"Authorization": f"Bearer {other}"}
        assert client.get("/metrics", headers=wrong).status_code == 403


@pytest.mark.parametrize(
    ("client_host", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.9"}, 401),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.9"}, 401),
        ("10.0.0.9", {}, 401),
        ("testclient", {}, 401),
    ],
)
def test_loopback_is_this_machine_alone(folder: Folder, client_host, headers, status) -> None:
    http = replace(folder.settings.http, metrics="loopback")
    app = create_app(replace(folder.settings, http=http), clock=folder.clock)
    with TestClient(app, client=(client_host, 1), base_url="http://linli.test") as client:
        assert client.get("/metrics", headers=headers).status_code == status


def test_nothing_secret_or_personal_is_in_it(folder: Folder) -> None:
    folder.park("unknown-1")
    with running(folder) as client:
        sign_in(client, "wang")
        folder.put_event(folder.event(label="ebike"))
        jpeg()
        text = client.get("/metrics").text
    for word in (*PASSWORDS, *(one for _, one in PASSWORDS.values()), "3 号楼", "1 号电梯"):
        assert word not in text
    assert NODE not in text or 'node="' in text
