"""What brings about each thing that the doctor finds wrong, done to a `Patient`.

What can break in the time that a test has is broken, and the code that runs every day finds it. The
rest is put where that code leaves it: what takes hours or days (`edge-silent`, `disk-filling`,
`pictures-missing`), a hundred megabytes or a flood (`memory-high`, `quarantine-full`, `evidence-…`,
`edge-turned-away`), or a whole estate of processes (`chain-…`, `notify-trouble`,
`edge-certificate`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, timedelta
from functools import partial
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path

import pytest
import sqlalchemy as sa
from authorities import authority
from click.testing import CliRunner
from house import AREA, NODE, SITE, Folder
from influx_fake import served
from notices import Office
from patient import Patient, row
from providers import Provider
from stage import small_disk
from upgraded import Estate

from edge.catalog.book import FOLDER_VARIABLE, open_book
from edge.health import report_data, stamp
from edge.lives import FIRST, Lives
from edge.messages import report
from ingest.archive import left
from ingest.archive.age import Key
from ingest.archive.delivery import deliver
from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.influx import InfluxJob
from ingest.consumers.influx import Sources as InfluxSources
from ingest.consumers.rules import RuleWork
from ingest.consumers.shortage import SECONDS, ShortageJob
from ingest.consumers.work import Cursor
from ingest.door import book as door
from ingest.feed import Feed
from ingest.influx.endpoint import endpoint_of
from ingest.notify.posting import open_client
from ingest.notify.webhook import Webhook
from ingest.receive.upkeep import note_memory
from ingest.receive.writer import add_counts
from ingest.repairs import book as repairs
from ingest.series.memory import MemoryTimeseries
from ingest.settings import load_settings
from ingest.share import book as share
from ingest.store import journal, series, state
from ingest.store.chain import probe
from ingest.store.engine import to_micros, writing
from ingest.store.incidents import incident, transition
from ingest.store.joining import certificate_task
from ingest.store.notify import notifier
from ingest.store.registry import node
from linli.broker import free_port
from linli.cli.main import command
from linli.clock import Clock, ManualClock
from linli.codec import encode
from linli.errors import InputError
from linli.events import LaneReport, Status
from linli.ids import uuid7
from linli.topics import Topic

Fault = Callable[[Patient], None]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOT = '[[notify.channels]]\ntype = "wecom-bot"\nname = "bot"\n'
_INFLUX = '[influx]\nurl = "http://127.0.0.1:9"\n'
_DATABASE = '[database]\nurl = "postgresql://linli@127.0.0.1:9/linli"\npassword_file = "no-such"\n'
USER = 'username = "svc-ingest"\npassword_file = "secret"\n'


def _settings_unusable(patient: Patient) -> None:
    patient.config.write_text("nonsense = 1\n")


def _edge_settings_unusable(patient: Patient) -> None:
    patient.edge = patient.folder.path / "edge.toml"
    patient.edge.write_text("nonsense = 1\n")


def _model_wrong(patient: Patient) -> None:
    patient.edge = patient.folder.path / "edge.toml"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(FOLDER_VARIABLE, str(patient.folder.path / "models"))
        model = next(one for one in open_book() if one.origin == "known")
    patient.others.enter_context(pytest.MonkeyPatch.context()).setenv(
        FOLDER_VARIABLE, str(patient.folder.path / "models")
    )
    model.path.parent.mkdir(parents=True)
    model.path.write_bytes(b"another file")
    words = ("edge", "init", "--site", SITE, "--area", "b03", "--node", NODE)
    CliRunner().invoke(command, [*words, "--config", str(patient.edge)], catch_exceptions=False)


def _secret_open(patient: Patient) -> None:
    secret = patient.folder.path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    patient.write(mqtt=USER)


def _folder_not_writable(patient: Patient) -> None:
    disk = patient.others.enter_context(small_disk(patient.folder.path / "disk", 8))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    patient.write(data="disk")


def _disk_low(patient: Patient) -> None:
    patient.others.enter_context(small_disk(patient.folder.path / "disk", 64))
    patient.write(data="disk")


def _disk_filling(patient: Patient) -> None:
    now, free = patient.folder.clock.now(), shutil.disk_usage(patient.folder.path).free
    with writing(patient.folder.state) as connection:
        for hours in range(72, 0, -1):
            repairs.sample(connection, free + hours * free // 5 // 24, now - hours * HOUR)


def _disk_giving_up(patient: Patient) -> None:
    folder, least = patient.folder, load_settings(patient.config).disk.least_free
    charts = MemoryTimeseries()
    looks = ShortageJob(
        folder.state,
        folder.state,
        charts,
        Feed(),
        folder.clock,
        site=SITE,
        least=least,
        free=lambda: least - 1,
    )
    patient.pass_time(SECONDS)
    looks.step()


def _upgrade_cut_short(patient: Patient) -> None:
    folder = patient.folder.path / "upgraded"
    folder.mkdir()
    estate = Estate(folder, patient.others.enter_context(pytest.MonkeyPatch.context()))
    assert estate.killed_at("restart")


def _watched(patient: Patient) -> None:
    patient.write(more="[watch]\nenabled = true\n")
    with writing(patient.folder.state) as connection:
        door.listen(connection, patient.folder.clock.now())


def _broker_strangers(patient: Patient) -> None:
    _watched(patient)
    with writing(patient.folder.state) as connection:
        now = patient.folder.clock.now()
        door.note(connection, "203.0.113.9", "name", now, times=12, sure=True)


def _broker_retained(patient: Patient) -> None:
    _watched(patient)
    with writing(patient.folder.state) as connection:
        door.keep_retained(connection, 100_000, patient.folder.clock.now())


def _authority_ends(patient: Patient) -> None:
    until = patient.folder.clock.now() + 30 * DAY
    patient.write(mqtt=f'ca_file = "{authority(patient.folder.path / "ca.pem", until)}"\n')


def _store_unreadable(patient: Patient) -> None:
    with writing(patient.folder.state) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'state_9999'"))


def _consumer_behind(patient: Patient) -> None:
    patient.folder.put_event(patient.folder.event())
    patient.pass_time(120)


def _chain_starting(patient: Patient) -> None:
    patient.pass_time(900)
    started = patient.folder.clock.now().timestamp() - 10
    os.utime(patient.folder.path / "ingest.lock", (started, started))


def _chain(patient: Patient, *, took: float, step: int) -> None:
    """Probes of the last minutes that took some seconds, with numbers that are missing."""
    now = patient.folder.clock.now()
    with writing(patient.folder.state) as connection:
        connection.execute(probe.delete())
        for number in range(4):
            made = now - timedelta(minutes=4 - number)
            values = {"id": str(number), "number": 1 + number * step, "made": made}
            shown = made + timedelta(seconds=took)
            connection.execute(probe.insert(), values | {"shown": shown})


def _rows_skipped(patient: Patient) -> None:
    patient.folder.put("event", "zone-dwell", b"{", event_id="e", stream="s", sequence=1)
    _take_in(patient)


def _series_refused(patient: Patient) -> None:
    key = {"site": SITE, "node": NODE, "device": "cam-e1", "group": "camera", "unit": "1"}
    with writing(patient.folder.series) as connection:
        connection.execute(series.series.insert(), [{**key, "name": f"n{n}"} for n in range(200)])
        position = {"name": "series", "position": 0, "poisoned": 0, "refused": 7}
        connection.execute(series.cursor.insert(), position)


def _quarantine_full(patient: Patient) -> None:
    now = to_micros(patient.folder.clock.now())
    values = {"sha256": "0", "received": now, "size": 90_000_000, "payload": b""}
    with writing(patient.folder.journal) as connection:
        connection.execute(journal.quarantine.insert(), values)


def _evidence(patient: Patient, *, size: int, age: timedelta) -> None:
    """Keep a picture where there is room for 2 MiB of them."""
    patient.write(more="[evidence]\nmax_bytes = 2097152\n")
    now = patient.folder.clock.now()
    values = {"id": "e", "received": now - age, "expires": now + 30 * DAY, "bytes": size}
    values |= {"sent_sha256": "0", "sha256": "0", "width": 1, "height": 1}
    values |= dict.fromkeys(("site", "node", "device", "redaction"), "x")
    with writing(patient.folder.state) as connection:
        connection.execute(state.evidence.insert(), values)


def _pictures_missing(patient: Patient) -> None:
    now = patient.folder.clock.now()
    values = {"id": "i", "number": 1, "key": "k", "node": NODE, "device": "d", "urgency": 1}
    values |= {"state": "open", "severity": "low", "last": now - HOUR, "body": "{}"}
    with writing(patient.folder.state) as connection:
        connection.execute(incident.insert(), values | {"picture": uuid7(now)})


def _share_waiting(patient: Patient) -> None:
    patient.write(more="[share]\nenabled = true\n")
    _pictures_missing(patient)
    done = patient.folder.clock.now() - HOUR
    values = {"incident": "i", "step": "resolved", "at": done, "recorded": done}
    with writing(patient.folder.state) as connection:
        share.start(connection)
        connection.execute(transition.insert(), values | {"actor": "user:x", "body": "{}"})


def _audited(patient: Patient, words: str = "") -> None:
    patient.write(more=BOT)
    now = patient.folder.clock.now()
    values = {"id": 1, "transition": 0, "audited": now, "requeued": 0, "overdue": 0}
    with writing(patient.folder.state) as connection:
        connection.execute(notifier.insert(), values | {"words": words})


def _notify_dead(patient: Patient) -> None:
    """Tell of an incident by a webhook whose address is gone."""
    office = Office(patient.folder.path / "office")
    patient.others.callback(office.close)
    client = patient.others.enter_context(open_client())
    gone = patient.others.enter_context(Provider({}))
    gone.say({}, status=410)
    hook = Webhook(client, ["secret"], allowed=[ip_network("127.0.0.0/8")])
    office.replace("bot", hook, address=f"{gone.url}hook")
    office.begin()
    office.work()
    patient.write(data="office", database=office.folder.toml, more=BOT)


def _lane(patient: Patient, **trouble: int) -> None:
    oldest = patient.folder.clock.now() - HOUR
    counts = {"pending": 0, "evicted": 0, "dead": 0} | trouble
    patient.report(LaneReport(lane="events", oldest=oldest, **counts))


def _edge_disk(patient: Patient) -> None:
    disk = patient.others.enter_context(small_disk(patient.folder.path / "disk", 64))
    _edge_reports(patient, disk=disk)


def _edge_reports(
    patient: Patient, *, disk: Path | None = None, lives: Lives = FIRST, model: str | None = None
) -> None:
    """Report as an edge does, and take that in as the ingest does."""
    folder = patient.folder
    data = report_data(version("linli"), 5, disk or folder.path, (), [], lives=lives, model=model)
    about = Topic(SITE, AREA, NODE, "self", "health", "report")
    folder.put("health", "report", report(about, stamp(folder.clock), data), device="self")
    _take_in(patient)


def _take_in(patient: Patient) -> None:
    journal = patient.folder.reader("journal")
    effect = IncidentEffect(Feed(), RuleWork(journal, UTC))
    Cursor(journal, patient.folder.state, state.cursor, effect).step()


def _edge_last_seen(patient: Patient, ago: timedelta | None) -> None:
    values: dict[str, object] = {"last_seen": None, "report": None, "status": None}
    if ago is not None:
        values = {"last_seen": patient.folder.clock.now() - ago}
    with writing(patient.folder.state) as connection:
        connection.execute(node.update(), values)


def _edge_off(patient: Patient) -> None:
    stopped = encode(Status(state="stopped", session="00000001")).decode()
    with writing(patient.folder.state) as connection:
        connection.execute(node.update(), {"status": stopped})


def _edge_turned_away(patient: Patient) -> None:
    now = to_micros(patient.folder.clock.now())
    values = {"topic": "t", "node": NODE, "code": "json", "path": "$", "what": "x", "sha256": "0"}
    with writing(patient.folder.journal) as connection:
        add_counts(connection, Counter({journal.turned_away(NODE): 7}))
        connection.execute(journal.reject.insert(), values | {"received": now})


def _edge_clock(patient: Patient) -> None:
    ahead = row(patient.folder.clock.now(), kind="clock", node="c001-n09", flags=journal.FUTURE)
    with writing(patient.folder.journal) as connection:
        connection.execute(journal.message.insert(), ahead)


def _edge_clock_behind(patient: Patient) -> None:
    folder = patient.folder
    put_report(folder, ManualClock(folder.clock.now() - 6 * HOUR))


def put_report(folder: Folder, clock: Clock, **columns: int | str) -> None:
    """Keep a report that a box wrote by such a clock and that came just now."""
    data = report_data(version("linli"), 5, folder.path, (), [])
    about = Topic(SITE, AREA, NODE, "self", "health", "report")
    columns = {"time": to_micros(clock.now()), **columns}
    folder.put("health", "report", report(about, stamp(clock), data), device="self", **columns)


def _edge_certificate(patient: Patient) -> None:
    now = patient.folder.clock.now()
    values = {"node": NODE, "kind": "issue", "asked": now, "until": now + 3 * DAY}
    with writing(patient.folder.state) as connection:
        connection.execute(certificate_task.insert(), values)


def _influx(patient: Patient, *answers: int) -> None:
    """Write into a server that answers so, or, without answers, is away."""
    url = f"http://127.0.0.1:{free_port()}"
    if answers:
        server = patient.others.enter_context(served())
        server.answers = [(status, {}, b"made to") for status in answers]
        url = server.url
    patient.write(more=f'[influx]\nurl = "{url}"\n')
    folder, settings = patient.folder, load_settings(patient.config).influx
    journal, kept, series = (folder.reader(one) for one in ("journal", "state", "series"))
    sources = InfluxSources(journal, kept, series, folder.state)
    job = InfluxJob(sources, lambda: endpoint_of(settings), SITE, folder.clock)
    job.step()
    job.close()


def _backup_missing(patient: Patient) -> None:
    place = patient.folder.path / "usb"
    keys = f'[backup]\nkeys = ["{Key.new().public}"]\n'
    patient.write(more=f'{keys}[[backup.places]]\nto = "{place}"\n')


def _backup_failed(patient: Patient) -> None:
    _backup_missing(patient)
    place, now = patient.folder.path / "usb", patient.folder.clock.now()
    place.mkdir()
    settings = load_settings(patient.config)
    assert deliver(settings, now, noted=True).failed == {}
    shutil.rmtree(place)
    with pytest.raises(InputError, match="no such folder"):
        deliver(settings, now + HOUR, noted=True)


def _backup_untold(patient: Patient) -> None:
    _backup_missing(patient)
    settings, now = load_settings(patient.config), patient.folder.clock.now()
    left.write(settings.folder, left.Left(mark="two", at=now - HOUR, number=2))
    left.note_failure(settings.folder, settings.backup.places[0].to, now, "no such folder")


FAULTS: dict[str, Fault] = {
    "authority-ends": _authority_ends,
    "backup-failed": _backup_failed,
    "backup-missing": _backup_missing,
    "backup-none": lambda one: one.pass_time(4 * 86_400),
    "backup-untold": _backup_untold,
    "broker-retained": _broker_retained,
    "broker-strangers": _broker_strangers,
    "broker-unreachable": lambda one: one.write(broker=free_port()),
    "broker-unwatched": lambda one: one.write(more="[watch]\nenabled = true\n"),
    "chain-lost": partial(_chain, took=0.1, step=2),
    "chain-silent": lambda one: one.pass_time(900),
    "chain-slow": partial(_chain, took=11, step=1),
    "chain-starting": _chain_starting,
    "consumer-behind": _consumer_behind,
    "database-unusable": lambda one: one.write(database=_DATABASE),
    "disk-filling": _disk_filling,
    "disk-giving-up": _disk_giving_up,
    "disk-low": _disk_low,
    "edge-backlog": partial(_lane, pending=7),
    "edge-certificate": _edge_certificate,
    "edge-clock": _edge_clock,
    "edge-clock-behind": _edge_clock_behind,
    "edge-disk": _edge_disk,
    "edge-fell": lambda one: _edge_reports(one, lives=Lives(2, "uplink fell")),
    "edge-gave-up": partial(_lane, evicted=2),
    "edge-model": lambda one: _edge_reports(one, model="model.onnx: not an ONNX model"),
    "edge-never-heard": partial(_edge_last_seen, ago=None),
    "edge-off": _edge_off,
    "edge-settings-unusable": _edge_settings_unusable,
    "edge-silent": partial(_edge_last_seen, ago=timedelta(minutes=4)),
    "edge-turned-away": _edge_turned_away,
    "edge-version": lambda one: one.report(agent="0.0.1"),
    "evidence-filling": partial(_evidence, size=1_000_000, age=3 * DAY),
    "evidence-full": partial(_evidence, size=2_000_000, age=HOUR),
    "folder-missing": lambda one: one.write(data="gone"),
    "folder-not-writable": _folder_not_writable,
    "influx-away": _influx,
    "influx-behind": lambda one: one.write(more=_INFLUX),
    "influx-parked": lambda one: _influx(one, 400, 204, *[400] * 200),  # 204: a good point
    "influx-refused": lambda one: _influx(one, 401),
    "ingest-down": lambda one: one.ingest.close(),
    "memory-high": lambda one: note_memory(one.folder.journal, 300_000_000),
    "model-wrong": _model_wrong,
    "notify-dead": _notify_dead,
    "notify-plans": _audited,
    "notify-silent": lambda one: one.write(more=BOT),
    "notify-trouble": partial(_audited, words="2 are late"),
    "pictures-missing": _pictures_missing,
    "quarantine-full": _quarantine_full,
    "receiver-silent": lambda one: one.pass_time(900),
    "rows-skipped": _rows_skipped,
    "secret-open": _secret_open,
    "secret-unusable": lambda one: one.write(mqtt=USER),
    "series-refused": _series_refused,
    "settings-unusable": _settings_unusable,
    "share-waiting": _share_waiting,
    "store-unreadable": _store_unreadable,
    "upgrade-cut-short": _upgrade_cut_short,
    "web-down": lambda one: one.write(web=free_port()),
}
"""By code. What a fault brings along does not matter: a silent receiver makes the chain silent."""
