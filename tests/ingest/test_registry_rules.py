"""Records, what must hold between them, and what a change would do: all pure."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from ingest.registry.plan import Plan, Wish, make
from ingest.registry.records import Device, Edge, Person, Place, Record, RecordType, Team
from ingest.registry.rules import Surroundings, breaches
from ingest.registry.values import build

AROUND = Surroundings("c001", frozenset({"wang"}))
SWITCH = Device(id="n1/sw-1", kind="switch", label="交换机")
ESTATE: tuple[Record, ...] = (
    Place(id="c001", kind="site", label="和园"),
    Place(id="c001/b03", kind="building", label="3 号楼"),
    Place(id="c001/b03/u1", kind="unit", label="1 单元"),
    Place(id="c001/b03/u1/e1", kind="point", label="1 号电梯"),
    Place(id="c001/garden", kind="area", label="花园"),
    Edge(id="n1", place="c001/b03", label="3 号楼盒子"),
    SWITCH,
    Device(id="n1/cam-1", kind="camera", label="电梯", place="c001/b03/u1/e1", network="n1/sw-1"),
    Team(id="night", label="夜班"),
    Person(id="wang", label="王芳", role="duty", phone="139 1234 5678", team="night"),
)


def registry(*records: Record) -> dict[tuple[RecordType, str], Record]:
    return {one.key: one for one in records}


def propose(*wanted: Record, heard: Any = (), gone: tuple[Record, ...] = ()) -> Plan:
    wishes = [Wish(one.key, one) for one in wanted] + [Wish(one.key, None) for one in gone]
    return make(registry(*ESTATE), wishes, AROUND, heard=heard)


def faults(*wanted: Record, **more: Any) -> list[tuple[str, str]]:
    return [(one.column, one.rule) for one in propose(*wanted, **more).preview.faults]


def test_the_estate_breaks_no_rule() -> None:
    assert list(breaches(registry(*ESTATE), AROUND)) == []


@pytest.mark.parametrize(
    ("what", "values", "column", "rule", "hint"),
    [
        ("edge", {"id": "N 1"}, "id", "lower-case", "Did you mean 'n-1'?"),
        ("edge", {"id": "ｎ１"}, "id", "lower-case", "Did you mean 'n1'?"),
        ("edge", {"id": "三号"}, "id", "lower-case", ""),
        ("edge", {"id": None}, "id", "is needed", ""),
        ("edge", {"id": "n1\n"}, None, "", ""),
        ("edge", {"id": 7}, "id", "lower-case", ""),
        ("edge", {"place": "c001/b03/u1/e1/x"}, "place", "SITE/BUILDING", ""),
        ("edge", {"place": "C001/B03"}, "place", "SITE/", "Did you mean 'c001/b03'?"),
        ("edge", {"lable": "x"}, "lable", "no such field", "Did you mean 'label'?"),
        ("edge", {"label": "x" * 65}, "label", "1 to 64", ""),
        ("edge", {"label": "  3  号\n楼 "}, None, "", ""),
        ("edge", {"label": "a\u202eb"}, "label", "1 to 64", ""),
        ("edge", {"label": "a\x00b"}, "label", "1 to 64", ""),
        ("edge", {"label": "👩\u200d🔧"}, None, "", ""),
        ("edge", {"network": "n1/"}, "network", "EDGE or EDGE/DEVICE", ""),
        ("edge", {"retired": "x"}, "retired", "yes or no", ""),
        ("device", {"id": "n1/self"}, "id", "not 'self'", ""),
        ("device", {"id": "n1"}, "id", "EDGE/DEVICE", ""),
        ("device", {"kind": "Kamera?"}, "kind", "such as camera", ""),
        ("device", {"capabilities": ["ptz", "ptz", " audio "]}, None, "", ""),
        ("device", {"capabilities": ["P T Z"]}, "capabilities", "words", ""),
        ("device", {"capabilities": "ptz"}, "capabilities", "words", ""),
        ("person", {"role": "boss"}, "role", "one of manager", ""),
        ("person", {"phone": "139 1234 5678 ext"}, "phone", "digits", ""),
        ("person", {"languages": ["zh", "Chinese"]}, "languages", "codes", ""),
    ],
)
def test_each_field_has_its_rule(what: RecordType, values, column, rule, hint) -> None:
    good = {
        "edge": {"id": "n9", "label": "x", "place": "c001/b03"},
        "device": {"id": "n1/d9", "label": "x", "kind": "camera"},
        "person": {"id": "li", "label": "李", "role": "duty"},
    }
    record, found = build(what, {**good[what], **values})
    if column is None:
        assert (found, record is not None) == ([], True)
        return
    (fault,) = found
    assert record is None
    assert fault.column == column
    assert rule in fault.rule
    assert fault.hint == hint or not hint


def test_every_broken_rule_is_said_at_once_and_a_phone_is_not_repeated() -> None:
    _, found = build("person", {"id": "W", "role": "x", "phone": "call me", "extra": 1})
    assert {one.column for one in found} == {"id", "label", "role", "phone", "extra"}
    assert all("call me" not in repr(one) for one in found)


def test_who_no_longer_works_here_has_no_phone() -> None:
    values = {"id": "li", "label": "李", "role": "duty", "phone": "13912345678", "retired": True}
    record, _ = build("person", values)
    assert isinstance(record, Person)
    assert record.phone is None


@pytest.mark.parametrize(
    ("wanted", "column", "rule"),
    [
        (Place(id="c002", kind="site", label="x"), "id", "serves the site 'c001'"),
        (Place(id="c001/b04/u1", kind="unit", label="x"), "id", "no such place"),
        (Place(id="c001/garden/u1", kind="unit", label="x"), "type", "not in a area"),
        (Place(id="c001/p", kind="point", label="x"), "type", "not in a site"),
        (Place(id="c001/b03/u2", kind="site", label="x"), "type", "not in a building"),
        (Place(id="c001/b03/u1/e1/x", kind="point", label="x"), "type", "not in a point"),
        (Edge(id="n2", place="c001", label="x"), "place", "in a building or public area"),
        (Edge(id="n2", place="c001/b09", label="x"), "place", "no such place"),
        (Edge(id="n2", place="c001/b03", label="x", power="n7/c"), "power", "no such device"),
        (Edge(id="svc-command", place="c001/b03", label="x"), "id", "own services"),
        (Device(id="n2/c", kind="camera", label="x"), "id", "no such edge"),
        (Device(id="n1/c", kind="camera", label="x", place="c001"), "place", "in a building"),
        (Device(id="n1/c", kind="camera", label="x", network="n3"), "network", "no such edge"),
        (Person(id="li", label="x", role="duty", team="day"), "team", "no such team"),
        (Person(id="li", label="x", role="duty", account="li"), "account", "no such account"),
        (replace(SWITCH, network="n1/sw-1"), "network", "behind itself"),
        (replace(SWITCH, power="n1/cam-1"), "power", "behind itself"),
    ],
)
def test_what_must_hold_between_records(wanted: Record, column: str, rule: str) -> None:
    (found,) = faults(wanted)
    assert found[0] == column
    assert rule in found[1]


def test_a_circle_of_three_is_named_with_its_way() -> None:
    made = propose(
        replace(SWITCH, power="n1"), Edge(id="n1", place="c001/b03", label="x", power="n1/cam-1")
    )
    assert {(one.id, one.column) for one in made.preview.faults} == {
        ("n1", "power"),
        ("n1/sw-1", "power"),
    }
    ways = {one.hint for one in made.preview.faults}
    assert len(ways) == 1
    assert ways.pop().count(" → ") == 3


def test_hanging_behind_the_edge_that_speaks_for_it_is_no_circle() -> None:
    """An edge box may get its network from the switch that it watches."""
    assert faults(Edge(id="n1", place="c001/b03", label="x", network="n1/sw-1")) == []


@pytest.mark.parametrize(
    ("gone", "who"),
    [
        (ESTATE[0], "place 'c001/b03'"),
        (ESTATE[3], "device 'n1/cam-1'"),
        (ESTATE[5], "device 'n1/"),
        (SWITCH, "device 'n1/cam-1'"),
        (ESTATE[8], "person 'wang'"),
    ],
)
def test_nothing_goes_while_something_in_use_depends_on_it(gone: Record, who: str) -> None:
    for made in (propose(replace(gone, retired=True)), propose(gone=(gone,))):
        first = made.preview.faults[0]
        assert (first.id, first.column) == (gone.id, "retired")
        assert "is in use" in first.rule
        assert any(who in one.hint for one in made.preview.faults)


def test_things_are_retired_together() -> None:
    camera = ESTATE[7]
    made = propose(replace(SWITCH, retired=True), replace(camera, retired=True))
    assert (made.preview.faults, made.preview.changed) == ((), 2)


def test_what_has_a_history_is_retired_not_removed() -> None:
    camera = ESTATE[7]
    assert faults(gone=(camera,)) == []
    assert faults(gone=(camera,), heard={camera.key}) == [("id", "this device has a history")]
    edge = Edge(id="n2", place="c001/b03", label="x")
    assert faults(edge, heard={("device", "n2/c")}) == []


def test_a_change_is_told_field_by_field() -> None:
    made = propose(
        replace(SWITCH, label="东门交换机", capabilities=("poe",)),
        Team(id="day", label="白班"),
        ESTATE[0],
    )
    preview = made.preview
    assert (preview.created, preview.changed, preview.unchanged, preview.refused) == (1, 1, 1, 0)
    switch, team = preview.changes
    assert [(one.field, one.before, one.after) for one in switch.fields] == [
        ("label", "交换机", "东门交换机"),
        ("capabilities", None, ("poe",)),
    ]
    assert (team.action, [(one.field, one.after) for one in team.fields]) == (
        "created",
        [("label", "白班")],
    )
    assert [one.id for one in made.records] == ["n1/sw-1", "day"]


def test_the_tag_is_the_same_only_while_the_same_would_be_done() -> None:
    wanted = replace(SWITCH, label="x")
    assert propose(wanted).tag == propose(wanted).tag
    assert propose(wanted).tag != propose(replace(SWITCH, label="y")).tag
    elsewhere = make(
        registry(*ESTATE[:6], replace(SWITCH, label="z"), *ESTATE[7:]),
        [Wish(wanted.key, wanted)],
        AROUND,
    )
    assert elsewhere.tag != propose(wanted).tag


def test_what_was_wrong_before_does_not_stop_other_changes() -> None:
    broken = Device(id="n1/old", kind="lamp", label="x", place="c001/nowhere")
    current = registry(*ESTATE, broken)
    wish = Team(id="day", label="白班")
    assert make(current, [Wish(wish.key, wish)], AROUND).preview.faults == ()
    touched = replace(broken, label="y")
    assert make(current, [Wish(touched.key, touched)], AROUND).preview.refused == 1
