"""What a hostile or broken sender may try: refused by name, kept once; no crash, nothing hidden."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import house
import pytest
from facts import DEVICE, EVENT_TOPIC, NODE, NOW, SITE, event_bytes
from hostile import GOOD, HOSTILE, with_field
from house import Folder
from hypothesis import given
from hypothesis import strategies as st
from rigs import Rig, running_rig

from ingest import registry
from ingest.receive.check import Accepted, Rejected, Standing, check
from ingest.store.engine import to_micros, writing
from ingest.store.journal import FUTURE
from linli import topics
from linli.errors import LinliError
from linli.topics import Topic, is_id, topic_filter

ROOT = Path(__file__).parents[2]
RECEIVED = to_micros(NOW)
MOST_SECONDS = 1.0
"""Of processor time, for a hostile message and the good one behind it."""


class Known:
    def standing(self, site: str, area: str, node: str, device: str) -> Standing:
        return "known"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with running_rig(tmp_path) as made:
        yield made


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_bytes_are_refused_by_name_and_the_next_message_is_stored(
    rig: Rig, payload: bytes
) -> None:
    assert payload != GOOD
    rig.send(event_bytes(1), payload, event_bytes(2))
    started = time.thread_time()
    rig.settle()
    assert time.thread_time() - started < MOST_SECONDS
    assert [one for one in rig.sequences() if one != 9] == [1, 2]
    # Both in the same commit, at an hour that stands still: what comes next waits for nothing.
    assert [one for one in rig.told if one.startswith("commit")] == ["commit 2"]
    (reject,) = rig.rejects()
    assert reject.code in {"json", "schema", "size", "privacy"}
    assert rig.unacknowledged() == 0


def test_of_a_repeated_key_the_last_counts_and_the_bytes_are_kept_as_they_came(rig: Rig) -> None:
    twice = GOOD.replace(b'"severity":"high"', b'"severity":"low","severity":"high"')
    rig.send(twice)
    rig.settle()
    (row,) = rig.rows()
    assert row.payload == twice
    assert json.loads(row.payload)["data"]["severity"] == "high"


def test_a_forbidden_field_does_not_hide_behind_a_repeated_key() -> None:
    payload = with_field(b'"plate":"A1","plate":null')
    verdict = check(EVENT_TOPIC, payload, RECEIVED, Known())
    assert isinstance(verdict, Rejected)
    assert verdict.code == "privacy"


def test_captured_bytes_played_again_are_one_row(rig: Rig) -> None:
    one = event_bytes(1)
    rig.send(one)
    rig.settle()
    for _ in range(5):
        rig.send(one)
        rig.settle()
    assert rig.sequences() == [1]
    assert rig.counted() == {"duplicates": 5}
    assert rig.rejects() == []


def test_the_same_content_under_a_new_id_is_another_event(rig: Rig) -> None:
    other_id = "019536a1-0000-7000-8000-000000000077"
    rig.send(event_bytes(1), event_bytes(2, id=other_id))
    rig.settle()
    assert rig.sequences() == [1, 2]
    assert len({row.event_id for row in rig.rows()}) == 2


@pytest.mark.parametrize(
    ("text", "indexed", "flags"),
    [
        ((NOW + timedelta(days=1)).isoformat(), NOW, FUTURE),
        ((NOW - timedelta(days=30)).isoformat(), NOW - timedelta(days=30), 0),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC), 0),
        ("9999-12-31T23:59:59Z", NOW, FUTURE),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC), 0),
    ],
)
def test_a_strange_time_is_kept_where_it_can_be_found(
    text: str, indexed: datetime, flags: int
) -> None:
    said = {**json.loads(GOOD), "time": text}
    verdict = check(EVENT_TOPIC, json.dumps(said).encode(), RECEIVED, Known())
    assert isinstance(verdict, Accepted), verdict
    assert (verdict.time, verdict.flags) == (to_micros(indexed), flags)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T11:24:05",  # no zone
        "2026-06-30T23:59:60Z",  # a leap second: this contract has none
        "2026-02-30T00:00:00Z",
        "2026-03-02",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "1772450645",
        "now",
        "",
    ],
)
def test_a_time_that_is_none_is_refused_with_its_place(text: str) -> None:
    said = {**json.loads(GOOD), "time": text}
    verdict = check(EVENT_TOPIC, json.dumps(said).encode(), RECEIVED, Known())
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.path) == ("schema", "$.time")
    assert verdict.place is not None, "its receipt must move on"


INJECTIONS = [
    "+",
    "#",
    "/",
    "$SYS",
    "\0",
    "\n",
    "a" * 65_535,
    "../",
    "电梯",
    "a b",
    "A",
    "",
    "_sys",
]
LEVELS = ("site", "area", "node", "device", "kind", "name")


@pytest.mark.parametrize("text", INJECTIONS, ids=lambda text: ascii(text[:8]))
@pytest.mark.parametrize("level", LEVELS)
def test_nothing_but_an_id_becomes_a_level_of_a_topic(level: str, text: str) -> None:
    good = {
        "site": SITE,
        "area": "b03",
        "node": NODE,
        "device": DEVICE,
        "kind": "event",
        "name": "x",
    }
    if (level, text) == ("area", "_sys"):
        return  # the one reserved level
    assert not is_id(text)
    with pytest.raises(ValueError, match="topic"):
        Topic.parse("linli/v1/" + "/".join({**good, level: text}.values()))
    if text not in ("+", "_sys"):  # what a filter may hold
        with pytest.raises(ValueError, match="filter level"):
            topic_filter(SITE, **{level: text}) if level != "site" else topic_filter(text)


@given(st.text(max_size=40), st.sampled_from(LEVELS))
def test_whatever_is_written_into_a_level_stays_one_level(text: str, level: str) -> None:
    levels = {
        "site": SITE,
        "area": "b03",
        "node": NODE,
        "device": DEVICE,
        "kind": "event",
        "name": "x",
    }
    try:
        topic = Topic.parse("linli/v1/" + "/".join({**levels, level: text}.values()))
    except ValueError:
        return
    assert is_id(text) or (level, text) == ("area", "_sys")
    assert getattr(topic, level) == text


@pytest.mark.parametrize("text", INJECTIONS, ids=lambda text: ascii(text[:8]))
def test_the_registry_takes_no_such_id_either(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        with pytest.raises(LinliError):
            registry.add_node(connection, site=SITE, area="b03", name=text, label="x")
        with pytest.raises(LinliError):
            registry.add_node(connection, site=SITE, area=text, name="c001-n09", label="x")
        with pytest.raises(LinliError):
            registry.add_device(
                connection, node_name=house.NODE, name=text, kind="camera", label="x"
            )
    folder.close()


def test_topics_are_put_together_in_one_place_only() -> None:
    if not (ROOT / "linli" / "topics.py").exists():
        pytest.skip("the sources are checked in a checkout only: run it in a clone")
    others = [
        path
        for part in ("linli", "edge", "ingest", "dashboards")
        for path in (ROOT / part).rglob("*.py")
        if f'"{topics.PREFIX}/' in path.read_text(encoding="utf-8")
        or f"'{topics.PREFIX}/" in path.read_text(encoding="utf-8")
    ]
    assert others == []
