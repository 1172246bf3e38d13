"""The whole way with Debian's InfluxDB 1.6 and VictoriaMetrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from house import CAMERA, NODE, NOON, SITE, Folder, running, sign_in
from hypothesis import given, settings
from hypothesis import strategies as st
from influx import (
    DATABASE,
    NEEDS_INFLUXD,
    NEEDS_VICTORIA,
    RunningServer,
    eventually,
    running_influxd,
    running_victoria,
    settings_of,
)
from msgspec.structs import replace
from series_contract import KEY, Keep, TimeseriesContract

from ingest.consumers.influx import InfluxJob, Sources
from ingest.influx import book
from ingest.influx.deliver import Refusal
from ingest.influx.endpoint import Unavailable, V1Endpoint, endpoint_of
from ingest.influx.lines import LineEncoder, Point, in_tag
from ingest.influx.reader import InfluxTimeseries
from ingest.influx.schema import EVENT, READING
from ingest.series.timeseries import MOST_SERIES, Readable, Sample, SeriesKey
from ingest.settings import Influx
from ingest.store.engine import reading, writing
from linli.cli.main import command as linli
from linli.errors import InputError, StoreError
from linli.events import Reading


@pytest.fixture(scope="module")
def influxd(tmp_path_factory) -> Iterator[RunningServer]:
    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


def reading_of(one: Sample) -> Point:
    key = one.key
    names = (key.group, key.name, key.unit, one.quality or "good")
    tags = (key.site, "b03", key.node, key.device, *names)
    return Point(READING, tags, (one.value,), one.time * 1_000_000)


@NEEDS_INFLUXD
class TestInflux(TimeseriesContract):
    @pytest.fixture
    def settings(self, influxd: RunningServer, request) -> Influx:
        name = f"t{abs(hash(request.node.nodeid))}"
        influxd.ask(f"CREATE DATABASE {name}")
        return settings_of(influxd, bucket=name)

    @pytest.fixture
    def timeseries(self, settings: Influx) -> Iterator[Readable]:
        reader = InfluxTimeseries(settings, None)
        yield reader
        reader.close()

    @pytest.fixture
    def keep(self, settings: Influx) -> Iterator[Keep]:
        endpoint, encoder = endpoint_of(settings), LineEncoder()

        def keep(samples: Sequence[Sample]) -> None:
            endpoint.write("\n".join(encoder.line(reading_of(one)) for one in samples))

        yield keep
        endpoint.close()

    def test_as_many_series_as_one_question_may_name(
        self, timeseries: Readable, keep: Keep
    ) -> None:
        keys = [replace(KEY, device=f"lamp-{number}") for number in range(MOST_SERIES)]
        keep([Sample(key=key, time=NOON_MS, value=2.0) for key in keys])
        (point,) = timeseries.combine(keys, NOON_MS, NOON_MS + 300_000, 300_000)
        assert (point.series, point.sum) == (MOST_SERIES, 2.0 * MOST_SERIES)

    def test_an_unknown_database_is_said_in_its_words(self, settings: Influx) -> None:
        reader = InfluxTimeseries(replace(settings, bucket="nowhere"), None)
        with pytest.raises(StoreError, match="database not found"):
            reader.keys()
        reader.close()

    def test_no_key_of_a_sender_changes_the_question(self, timeseries: Readable) -> None:
        evil = SeriesKey(
            site="x' OR '1'='1", node="n\\", device="d", group="g", name='"', unit="'; --"
        )
        assert timeseries.samples(evil, 0, NOON_MS, 10) == []


NOON_MS = int(NOON.timestamp() * 1000)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=16)


@NEEDS_INFLUXD
@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=30))
def test_any_text_is_one_point_and_comes_back_as_it_was(influxd: RunningServer, texts) -> None:
    """S13: line breaks, commas, spaces, quotes, whatever a sender writes."""
    influxd.ask(f"DROP DATABASE {DATABASE}; CREATE DATABASE {DATABASE}")
    endpoint, encoder = endpoint_of(settings_of(influxd)), LineEncoder()
    points = [
        Point(
            EVENT,
            ("c001", "b03", "n07", "cam", "name", tag, "begin", "high"),
            (text, "e", "l", 0, 0.0, None, None),
            NOON_MS * 1_000_000 + number,
        )
        for number, (tag, text) in enumerate(texts)
    ]
    endpoint.write("\n".join(encoder.line(point) for point in points))
    endpoint.close()
    rows = influxd.rows('SELECT "event_id", "zone" FROM "event"')
    assert [(row["zone"], row["event_id"]) for row in rows] == [
        (in_tag(tag), text) for tag, text in texts
    ]


class Estate(Folder):
    def __init__(self, path: Path, influx: Influx) -> None:
        super().__init__(path)
        self.influx = influx
        self._jobs: list[InfluxJob] = []
        self.settings = replace(self.settings, influx=influx)
        self.sources = Sources(
            self.reader("journal"), self.reader("state"), self.reader("series"), self.state
        )

    def job(self) -> InfluxJob:
        job = InfluxJob(self.sources, lambda: endpoint_of(self.influx), SITE, self.clock)
        self._jobs.append(job)
        return job

    def close(self) -> None:
        for job in self._jobs:
            job.close()
        super().close()

    def put_numbers(self, first: int, number: int) -> None:
        for start in range(first, first + number, 100):
            self.put_readings(
                *(
                    Reading(n="fps", v=float(one), u="/s", t=NOON + timedelta(milliseconds=one))
                    for one in range(start, min(start + 100, first + number))
                )
            )

    def behind(self) -> int:
        with reading(self.sources.state) as one, reading(self.sources.journal) as other:
            return book.status(self.influx, one, other).behind


@NEEDS_INFLUXD
def test_a_server_killed_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """kill -9 while batches go in, hours without it, a new process of ours, then all is there."""
    with running_influxd(tmp_path) as server:
        estate = Estate(tmp_path / "data", settings_of(server))
        estate.put_numbers(0, 5000)
        job = estate.job()
        assert job.step()
        server.kill()
        for hour in range(6):
            assert job.step() is False
            estate.put_numbers(5000 + 100 * hour, 100)
            estate.clock.advance(3600)
        assert estate.behind() > 40
        server.start()
        job = estate.job()
        while job.step() or estate.behind():
            estate.clock.advance(61)
        values = [row["value"] for row in server.rows("SELECT value FROM reading")]
        assert sorted(values) == [float(one) for one in range(5600)]
        estate.close()


@NEEDS_INFLUXD
def test_trap_9_a_stored_batch_without_an_answer_is_stored_once(
    influxd, monkeypatch, tmp_path
) -> None:
    """The answer was lost, so it is sent again; each point has the time of its fact."""
    influxd.ask(f"DROP DATABASE {DATABASE}; CREATE DATABASE {DATABASE}")
    estate = Estate(tmp_path / "data", settings_of(influxd))
    estate.put_numbers(0, 300)
    for _ in range(3):
        estate.put_event(estate.event())
    real = V1Endpoint.write

    def lossy(self: V1Endpoint, text: str) -> None:
        real(self, text)
        monkeypatch.setattr(V1Endpoint, "write", real)
        raise Unavailable("timed out")

    monkeypatch.setattr(V1Endpoint, "write", lossy)
    job = estate.job()
    job.step()
    assert estate.behind() == 6
    estate.clock.advance(2)
    job.step()
    assert estate.behind() == 0
    assert (influxd.count("reading"), influxd.count("event", "episode")) == (300, 3)
    estate.close()


@NEEDS_INFLUXD
def test_the_running_ingest_writes_and_draws_its_charts_from_it(influxd, tmp_path: Path) -> None:
    influxd.ask(f"DROP DATABASE {DATABASE}; CREATE DATABASE {DATABASE}")
    estate = Estate(tmp_path / "data", settings_of(influxd, charts=True))
    estate.put_readings(Reading(n="fps", v=4, u="/s", t=NOON))
    estate.put_event(estate.event(name="ebike-in-elevator", severity="critical"))
    with running(estate) as client:
        sign_in(client, "guest")
        eventually(lambda: influxd.count("incident", "number") > 0)
        eventually(lambda: influxd.count("label", "option") > 0)
        series = f"{SITE}/{NODE}/{CAMERA}/camera/fps//s"
        found = client.get("/api/v1/series").json()
        assert [one["series"] for one in found["items"]] == [series]
    table = influxd.rows(
        'SELECT * FROM (SELECT last("open") AS "open", last("number") AS "number", '
        'last("title") AS "title", last("urgency") AS "urgency" FROM "incident_state" '
        'GROUP BY "slot") WHERE "open" = 1'
    )
    assert [(row["number"], row["urgency"], row["slot"]) for row in table] == [(1, 0, "0001")]
    names = influxd.rows('SELECT last("option") FROM "label" WHERE "kind" = \'device\'')
    assert [row["last"] for row in names] == ["1 号电梯 (cam-e1)"]
    estate.close()


@NEEDS_VICTORIA
def test_version_two_of_the_api_by_the_client_library(tmp_path: Path) -> None:
    """VictoriaMetrics takes `/api/v2/write`; it keeps numbers to the millisecond, no texts."""
    with running_victoria(tmp_path) as server:
        estate = Estate(tmp_path / "data", settings_of(server, api="v2"))
        estate.put_numbers(0, 2500)
        job = estate.job()
        while job.step():
            pass
        assert estate.behind() == 0
        with reading(estate.sources.state) as connection:
            assert book.parked_count(connection) == 0
        server_has = server.export("reading_value")
        assert server_has == {float(one) for one in range(2500)}
        estate.close()


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(linli, [*arguments], catch_exceptions=True)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ingest.toml"
    path.write_text(f'data = "data"\n[site]\nid = "{SITE}"\nlabel = "春晖"\n', encoding="utf-8")
    return path


def with_influx(config: Path, url: str, **more: str) -> list[str]:
    values = {"url": url, "api": "v1", **more}
    lines = [f'{name} = "{value}"' for name, value in values.items()]
    config.write_text(config.read_text() + "\n".join(["[influx]", *lines]) + "\n")
    return ["--config", str(config), "--json"]


@NEEDS_INFLUXD
def test_check_writes_and_reads(influxd: RunningServer, config: Path) -> None:
    options = with_influx(config, influxd.url)
    assert [step["ok"] for step in json.loads(run("influx", "check", *options))["steps"]] == [
        True,
        True,
    ]
    assert "write  ok" in run("influx", "check", "--config", str(config))


@NEEDS_INFLUXD
def test_check_says_what_is_wrong(influxd: RunningServer, config: Path) -> None:
    options = with_influx(config, influxd.url, bucket="nowhere")
    done = CliRunner().invoke(linli, ["influx", "check", *options])
    assert done.exit_code == 1
    assert "database not found" in json.loads(done.output)["steps"][0]["words"]


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_an_address_or_a_token_that_cannot_be_is_said_in_one_line(config: Path, api: str) -> None:
    plain = config.read_text("utf-8")
    for url in ("http://[::1", "http://x:abc", "http://a..b", f"http://{'a' * 70}.x"):
        config.write_text(f'{plain}\n[influx]\nurl = "{url}"\napi = "{api}"\n', "utf-8")
        done = CliRunner().invoke(linli, ["influx", "check", "--config", str(config)])
        assert isinstance(done.exception, InputError)
        assert "is no address" in str(done.exception)
    token = config.parent / "influx.token"
    token.write_text("邻里\n", "utf-8")
    more = f'url = "http://127.0.0.1:9"\napi = "{api}"\ntoken_file = "{token}"\n'
    config.write_text(f"{plain}\n[influx]\n{more}", "utf-8")
    done = CliRunner().invoke(linli, ["influx", "check", "--config", str(config)])
    assert isinstance(done.exception, InputError)
    assert "this is no token" in str(done.exception)
    assert "邻里" not in str(done.exception)


def test_commands_without_an_influxdb_say_so(config: Path) -> None:
    for words in (["check"], ["replay"], ["park", "retry"]):
        done = CliRunner().invoke(linli, ["influx", *words, "--config", str(config)])
        assert "no InfluxDB is set" in str(done.exception)


def test_status_and_refused_points_are_shown_beside_a_running_ingest(config: Path) -> None:
    options = with_influx(config, "http://127.0.0.1:9")
    done = CliRunner().invoke(linli, ["influx", "status", *options])
    assert "no ingest has run here" in str(done.exception)
    estate = Estate(config.parent / "data", Influx(url="http://127.0.0.1:9", api="v1"))
    estate.put_numbers(0, 10)
    estate.job().step()
    found = json.loads(run("influx", "status", *options))
    assert (found["state"], found["behind"], found["parked"]) == ("waiting", 1, 0)
    assert "Connection refused" in found["words"]
    text = run("influx", "status", "--config", str(config))
    assert "behind    1 journal row," in text
    refusal = Refusal("m v=1 1", 400, "bad")
    with writing(estate.state) as connection:
        book.park(connection, [refusal], NOON)
    listed = json.loads(run("influx", "park", "list", *options))
    assert (listed["total"], listed["items"][0]["line"]) == (1, "m v=1 1")
    assert "400  bad" in run("influx", "park", "list", "--config", str(config))
    assert json.loads(run("influx", "park", "retry", *options)) == {"retry": 1}
    assert json.loads(run("influx", "replay", *options)) == {"replay": True}
    estate.close()
