"""What the district is told of incidents: fields that may go, each once, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sharing import (
    AREA,
    HELD,
    NODE,
    NOON,
    SITE,
    SURE,
    VALIDATORS,
    WORDS,
    Community,
    furnished,
    settings_in,
)

from ingest import registry
from ingest.consumers.share import AFTER_REFUSAL, GAP, share_of
from ingest.doctor import share as doctor
from ingest.doctor.sources import opened
from ingest.incidents import flow
from ingest.incidents.drill import Drill, beginning, ending
from ingest.incidents.incident import Incident, Key
from ingest.incidents.undo import standing
from ingest.settings import IngestSettings, load_settings
from ingest.share import book, summary
from ingest.store.engine import reading, writing
from ingest.store.incidents import transition
from ingest.store.registry import node
from linli.clock import ManualClock
from linli.errors import InputError
from linli.events import SEVERITIES
from linli.ids import uuid7
from linli.share import SHARED_TYPES

FIELDS = {
    *("specversion", "id", "source", "type", "time", "datacontenttype", "dataschema", "data"),
}
SAID = {"phase", "type", "severity", "areaclass", "since", "count", "version", "response"}


@pytest.fixture
def given_settings(tmp_path: Path) -> IngestSettings:
    return settings_in(tmp_path)


@pytest.fixture
def community(given_settings: IngestSettings) -> Iterator[Community]:
    with furnished(given_settings) as made:
        yield made


def test_what_is_over_is_told_with_these_fields_and_no_others(community: Community) -> None:
    before = community.happens()
    before = community.staff(before, "resolve")
    community.pass_time(5)
    community.staff(before, "label", label="true-alarm")
    community.staff(before, "resume")
    community.staff(before, "undo", undoes=1, back=standing(before))
    community.pass_time(HELD)
    assert community.told() == [], "what was over before it was switched on stays here"
    one = community.happens("ebike-in-elevator", severity="critical")
    community.clock.advance(130)
    community.staff(one, "acknowledge")
    community.clock.advance(600)
    community.staff(one, "resolve")
    community.pass_time(SURE)
    (told,) = community.told()
    assert set(told) == FIELDS
    assert (told["source"], told["time"]) == ("/c001", "2026-03-02T12:14:00Z")
    assert told["data"] == {
        "phase": "end",
        "type": "ebike-in-elevator",
        "severity": "critical",
        "areaclass": "building",
        "since": "2026-03-02T12:01:00Z",
        "count": 1,
        "version": told["data"]["version"],
        "response": 2,
    }
    assert told["id"] != one.id
    said = str(community.broker.published)
    assert not [word for word in WORDS if word in said]


def incidents() -> st.SearchStrategy[Incident]:
    private = st.sampled_from([*WORDS, "secret-x", "王芳\n", "x" * 300])
    times = st.integers(0, 60 * 365 * 86_400_000).map(
        lambda one: NOON + timedelta(milliseconds=one)
    )
    some = st.none() | times
    return st.builds(
        Incident,
        id=times.map(uuid7),
        number=st.integers(1, 10**6),
        key=st.builds(
            Key,
            site=st.just(SITE),
            node=private,
            device=private,
            event=st.sampled_from(SHARED_TYPES) | private,
            zone=st.none() | private,
        ),
        area=private,
        subject=st.none() | private,
        state=st.sampled_from(["resolved", "resolved", "open"]),
        condition_active=st.booleans(),
        severity=st.sampled_from(SEVERITIES),
        object_label=private,
        count=st.integers(1, 10**6),
        opened=times,
        first=times,
        last=times,
        updated=times,
        cleared=some,
        acknowledged=some,
        acknowledged_by=st.none() | private.map("user:{}".format),
        resolved=some,
        resolved_by=st.none() | private.map("user:{}".format),
        label=st.sampled_from([None, "true-alarm", "false-alarm"]),
        rule=private,
        title=st.none() | private,
        shelved_by=st.none() | private,
        version=st.integers(1, 10**6),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(incidents(), st.sampled_from(["building", "area", "site", "secret", None]))
def test_no_private_word_has_a_place_in_what_is_told(one: Incident, kind: str | None) -> None:
    told = summary.event(one, summary.class_of(kind), "salt")
    may = one.state == "resolved" and one.resolved is not None and one.key.event in SHARED_TYPES
    assert (told is not None) == may
    if told is None:
        return
    body = json.loads(told.payload)
    VALIDATORS["event"].validate(body)
    assert (set(body), set(body["data"]) - SAID) == (FIELDS, set())
    text = f"{told.topic} {told.payload.decode()}"
    assert not [word for word in (*WORDS, "xxx", one.id, one.id[-12:]) if word in text]
    other = replace(one, opened=one.opened.replace(second=0, microsecond=0))
    assert summary.event(other, "other", "salt").payload.split(b'"')[7] == body["id"].encode(), (  # type: ignore[union-attr]
        "not even the id tells a second"
    )


@pytest.mark.parametrize("kind", ["event", "registry"])
def test_the_schema_has_no_room_for_a_word_of_ones_own(kind: str) -> None:
    """Each text in it is one of a list, or matches a pattern of digits; nothing else may stand."""
    schema = VALIDATORS[kind].schema
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        for name, field in part["properties"].items():
            ones = field.get("anyOf", [field])
            for one in ones:
                free = one.get("type") == "string" and not ("enum" in one or "pattern" in one)
                assert not free, name


def test_drills_false_alarms_and_what_is_not_on_the_list_stay(community: Community) -> None:
    community.pass_time(5)
    now = community.clock.now()
    wish = Drill(node=NODE, device="secret-cam", event="smoke")
    with writing(community.writer) as connection:
        drill, _ = flow.take(connection, beginning(wish, (SITE, AREA), "d1", "user:x", now))
        drill, _ = flow.take(connection, ending(drill, "user:x", now))
    community.staff(drill, "resolve")
    false = community.staff(community.happens(), "label", label="false-alarm")
    community.pass_time(HELD)
    community.staff(false, "label", label="drill")
    community.staff(community.happens("secret-event"), "resolve")
    community.staff(community.happens("message-conflict"), "resolve")
    community.happens()
    community.pass_time(HELD)
    assert community.told() == []


def test_what_opens_again_is_told_again_under_its_id_and_the_greater_version_holds(
    community: Community,
) -> None:
    community.pass_time(HELD)
    one = community.happens()
    community.staff(one, "resolve")
    community.pass_time(HELD)
    community.staff(one, "resume")
    community.pass_time(HELD)
    assert len(community.told()) == 1, "while it is open again nothing is told"
    community.staff(one, "resolve")
    community.pass_time(HELD)
    first, second = community.told()
    assert first["id"] == second["id"]
    assert first["data"]["version"] < second["data"]["version"]
    community.staff(one, "label", label="false-alarm")
    community.pass_time(HELD)
    assert [told["data"]["count"] for told in community.told()] == [1, 1, 0]
    community.staff(one, "label", label="true-alarm")
    community.pass_time(HELD)
    assert community.told()[-1]["data"]["count"] == 1
    assert len({told["id"] for told in community.told()}) == 1


def test_what_comes_late_of_what_is_over_is_told_with_the_greater_version(
    community: Community,
) -> None:
    community.pass_time(HELD)
    one = community.happens(zone="z")
    community.clock.advance(60)
    community.staff(one, "resolve")
    community.pass_time(HELD)
    before = community.clock.now() - timedelta(seconds=HELD + 45)
    community.clock.advance(24 * 3600)
    community.happens(zone="z", since=before, at=before)
    community.pass_time(HELD)
    said = [told["data"]["count"] for told in community.told()]
    assert said == [1, 2]
    assert len({told["id"] for told in community.told()}) == 1


def test_nothing_is_lost_when_broker_or_ingest_die(community: Community) -> None:
    community.pass_time(5)
    for _ in range(3):
        community.staff(community.happens(), "resolve")
    community.pass_time(HELD)
    kept = {told["id"] for told in community.told()}
    assert len(kept) == 3
    # The broker's machine loses its power with what it had not saved.
    community.broker.published.clear()
    community.job._link.cut()
    community.pass_time(5)
    assert {told["id"] for told in community.told()} == kept
    # So does the ingest's.
    community.broker.published.clear()
    community.job = community.begin()
    community.pass_time(SURE)
    assert {told["id"] for told in community.told()} == kept
    # What is surely kept is not told again.
    community.broker.published.clear()
    community.job = community.begin()
    community.pass_time(SURE)
    assert community.told() == community.told("registry") == []
    with reading(community.reader) as connection:
        assert book.totals(connection) == (3, 3)
    community.broker.running = False
    community.staff(community.happens(), "resolve")
    community.pass_time(HELD)
    community.broker.running = True
    community.pass_time(5)
    assert len(community.told()) == 1


def test_a_refusal_keeps_it_and_the_doctor_says_so(
    community: Community, given_settings: IngestSettings
) -> None:
    community.pass_time(HELD)
    community.staff(community.happens(), "resolve")
    community.clock.advance(HELD)
    community.job.step()
    (token,) = community.job._waiting
    community.job.on_sent(token, "Not authorized")
    assert community.job.refused == 1
    many = len(community.broker.published)
    community.pass_time(AFTER_REFUSAL - 5)
    assert len(community.broker.published) == many, "it waits before it tries again"
    with opened(given_settings, community.clock.now() + timedelta(minutes=11)) as sources:
        (found,) = doctor.look(sources)
    assert (found.code, found.level) == ("share-waiting", "warning")
    community.pass_time(SURE + 30)
    with opened(given_settings, community.clock.now() + timedelta(minutes=11)) as sources:
        (found,) = doctor.look(sources)
    assert found.level == "ok"
    assert "took 1 end and" in found.what


def test_a_number_that_is_still_to_be_committed_is_waited_for(community: Community) -> None:
    community.pass_time(5)
    first = community.happens()
    with reading(community.reader) as connection:
        last = book.last_transition(connection)
        row = connection.execute(transition.select().where(transition.c.id == last)).one()
    with writing(community.writer) as connection:  # its commit comes after that of the next
        connection.execute(transition.delete().where(transition.c.id == last))
    community.staff(first, "resolve")
    community.clock.advance(HELD)
    community.pass_time(GAP / 2)
    assert community.told() == []
    with writing(community.writer) as connection:
        connection.execute(transition.insert(), row._asdict())
    community.pass_time(5)
    assert len(community.told()) == 1
    with writing(community.writer) as connection:
        connection.execute(transition.delete().where(transition.c.id == sa.func.coalesce(last, 0)))
    community.staff(community.happens(), "resolve")
    community.pass_time(HELD + GAP + 10)
    assert len(community.told()) == 2, "a number that never comes holds up nobody"


def test_what_was_while_it_is_off_is_never_told(community: Community) -> None:
    community.pass_time(5)
    with reading(community.reader) as connection:
        salt = book.progress(connection).salt  # type: ignore[union-attr]
    with writing(community.writer) as connection:
        book.stop(connection)
    community.staff(community.happens(), "resolve")
    community.job = community.begin()
    community.pass_time(HELD)
    assert community.told() == []
    with reading(community.reader) as connection:
        assert book.progress(connection).salt == salt  # type: ignore[union-attr]


def test_numbers_of_things_are_told_once_and_when_they_change(community: Community) -> None:
    def rows() -> list[tuple[str, str, int, int]]:
        found = [told["data"] for told in community.told("registry")]
        return [(one["kind"], one["areaclass"], one["count"], one["version"]) for one in found]

    community.pass_time(HELD)
    first = {(kind, "building", 1, 1) for kind in ("area", "edge", "camera")}
    assert (set(rows()), len(rows())) == (first, 3)
    community.pass_time(SURE)
    with writing(community.writer) as connection:
        registry.add_device(
            connection, node_name=NODE, name="secret-2", kind="secret-kind", label="王芳"
        )
        connection.execute(node.update().values(label="王芳 13800138000"))
    community.job = community.begin()
    community.pass_time(SURE)
    assert rows()[3:] == [("other", "building", 1, 1)]
    with writing(community.writer) as connection:
        connection.execute(node.update().values(standing="retired"))
    community.job = community.begin()
    community.pass_time(SURE)
    assert sorted(rows()[4:]) == [(kind, "building", 0, 2) for kind in ("camera", "edge", "other")]
    ids = [told["id"] for told in community.told("registry")]
    assert len(set(ids)) == len(ids)
    said = str(community.broker.published)
    assert not [word for word in WORDS if word in said]


def test_it_is_off_by_default_and_its_name_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text('[site]\nid = "c001"\nlabel = "x"\n')
    off = load_settings(file)
    assert not off.share.enabled
    engine = sa.create_engine("sqlite://")
    assert share_of(off, engine, engine, ManualClock(NOON)) == ()
    file.write_text('[site]\nid = "c001"\nlabel = "x"\n[share]\nenabled = true\n')
    (runner,) = share_of(load_settings(file), engine, engine, ManualClock(NOON))
    assert runner.name == "share"
    file.write_text('[site]\nid = "c001"\nlabel = "x"\n[share]\npassword_file = "x"\n')
    with pytest.raises(InputError, match="password_file without username"):
        load_settings(file)
