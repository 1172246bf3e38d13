"""A switch goes down and fourteen cameras with it: one incident."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import Ledger, event, silent
from msgspec.structs import replace

from ingest.incidents.cause import above, root

NODE = "c001-n07"
CAMERAS = [f"cam-{number}" for number in range(14)]
WIRING = {f"{NODE}/{name}": (f"{NODE}/switch",) for name in CAMERAS}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger(wiring=lambda connection: WIRING)
    yield ledger
    ledger.close()


def test_what_is_above_a_thing_farthest_first() -> None:
    wiring = {"n/cam": ("n/switch", "n/cabinet"), "n/switch": ("core",), "core": ("n/cabinet",)}
    assert above("n/cam", wiring) == ("n", "n/cabinet", "core", "n/switch")
    assert above("n", wiring) == ()
    assert set(above("n/other", {})) == {"n"}


def test_a_circle_does_no_harm() -> None:
    assert set(above("a", {"a": ("b",), "b": ("a", "c"), "c": ("b",)})) == {"b", "c"}


def test_the_farthest_outage_explains() -> None:
    wiring = {"n/cam": ("n/switch",), "n/switch": ("core",)}
    assert root("n/cam", {"core": "i1", "n/switch": "i2"}, wiring) == "i1"
    assert root("n/cam", {"n/switch": "i2", "n/cam": "i3"}, wiring) == "i2"
    assert root("n/cam", {"elsewhere": "i4", "n/cam": "i3"}, wiring) is None


def test_a_switch_and_fourteen_cameras_are_one_call(ledger: Ledger) -> None:
    for number, name in enumerate(CAMERAS[:7]):
        ledger.tell(silent(name, number))
    switch, _ = ledger.tell(silent("switch", 8))
    for number, name in enumerate(CAMERAS[7:]):
        ledger.tell(silent(name, 10 + number))
    ledger.pass_until(60)
    assert ledger.called() == ["waited"]
    assert ledger.called(switch) == ["waited"]
    cameras = [one for one in ledger.all if one.id != switch.id]
    assert {one.part_of for one in cameras} == {switch.id}
    assert {one.aside for one in cameras} == {"part"}
    assert ledger.of("switch").parts == 14


@pytest.mark.parametrize("order", list(permutations(["cam-1", "switch", NODE])))
def test_the_order_in_which_they_are_heard_of_does_not_matter(order: tuple[str, ...]) -> None:
    """The edge box takes down what it speaks for, the switch among them."""
    ledger = Ledger(wiring=lambda connection: WIRING)
    for number, name in enumerate(order):
        ledger.tell(silent("self" if name == NODE else name, number))
    box = ledger.of("self")
    assert (ledger.of("cam-1").part_of, ledger.of("switch").part_of) == (box.id, box.id)
    assert (box.part_of, box.parts) == (None, 2)
    ledger.pass_until(60)
    assert ledger.called() == ["waited"] == ledger.called(box)
    ledger.close()


def test_what_is_no_outage_stands_by_itself(ledger: Ledger) -> None:
    ledger.tell(silent("switch", 0), event(device="cam-1", time=1))
    assert ledger.of("cam-1").part_of is None
    assert ledger.called(ledger.of("cam-1")) == ["new"]


def test_a_camera_that_does_not_come_back_with_its_switch_calls(ledger: Ledger) -> None:
    ledger.tell(silent("switch", 0), silent("cam-1", 1), silent("cam-2", 2))
    ledger.pass_until(100)
    ledger.tell(silent("switch", 600, "end"), silent("cam-1", 630, "end"))
    ledger.pass_until(719)
    assert [one.part_of is None for one in ledger.all] == [True, False, False]
    ledger.pass_until(720)
    back, gone = ledger.of("cam-1"), ledger.of("cam-2")
    assert (back.aside, back.condition_active) == ("part", False)
    assert (gone.aside, gone.condition_active) == (None, True)
    assert ledger.pages(gone)[-1] == ("left", "call", "stands-alone")
    assert ledger.called(back) == []
    assert ledger.of("switch").parts == 1


def test_a_switch_that_goes_again_at_once_keeps_what_hangs_behind_it(ledger: Ledger) -> None:
    ledger.tell(silent("switch", 0), silent("cam-1", 1))
    ledger.tell(silent("switch", 600, "end"))
    ledger.tell(silent("switch", 630, episode="again"))
    ledger.pass_until(900)
    assert ledger.of("cam-1").part_of == ledger.of("switch").id
    assert ledger.called(ledger.of("cam-1")) == []


def test_an_outage_that_another_rule_makes_worse_still_holds_its_parts(ledger: Ledger) -> None:
    switch, _ = ledger.tell(silent("switch", 0))
    ledger.tell(silent("cam-1", 1), replace(event("begin", "x", 5, 0, "critical"), key=switch.key))
    assert (ledger.of("switch").severity, ledger.of("switch").policy.outage) == ("critical", True)
    ledger.staff(switch.id, "resolve", 100)
    ledger.pass_until(220)
    assert ledger.of("cam-1").part_of is None
    assert ledger.called(ledger.of("cam-1")) == ["stands-alone"]


def test_a_person_who_resolves_the_switch_leaves_no_camera_unheard(ledger: Ledger) -> None:
    switch, _ = ledger.tell(silent("switch", 0))
    ledger.tell(silent("cam-1", 1))
    ledger.staff(switch, "resolve", 100)
    ledger.pass_until(219)
    assert ledger.called(ledger.of("cam-1")) == []
    ledger.pass_until(220)
    assert ledger.called(ledger.of("cam-1")) == ["stands-alone"]


def test_a_camera_that_had_called_joins_the_switch_that_is_heard_of_late(ledger: Ledger) -> None:
    ledger.tell(silent("cam-1", 0))
    ledger.pass_until(40)
    assert ledger.called() == ["waited"]
    ledger.tell(silent("switch", 0, delay=60))
    assert ledger.of("cam-1").part_of == ledger.of("switch").id


def test_an_incident_that_opens_again_stands_by_itself(ledger: Ledger) -> None:
    ledger.tell(silent("switch", 0), silent("cam-1", 1))
    for name, time in (("switch", 10), ("cam-1", 11)):
        ledger.tell(silent(name, time, "end"))
    ledger.pass_until(800)
    assert {one.state for one in ledger.all} == {"resolved"}
    ledger.tell(silent("cam-1", 650, delay=151, episode="again"))
    again = ledger.of("cam-1")
    assert (again.state, again.part_of, again.count) == ("open", None, 2)
    assert ledger.of("switch").parts == 0
    ledger.pass_until(900)
    assert ledger.called(again) == ["waited"]


THINGS = ["self", "switch", "cam-1", "cam-2", "cam-3"]


def root_of(name: str, down: set[str]) -> str | None:
    """Return what explains an outage here, said once more and otherwise: the box, the switch."""
    if "self" in down and name != "self":
        return "self"
    return "switch" if "switch" in down and name.startswith("cam-") else None


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_part_of_what_follows_from_what_is_down(data) -> None:
    """Whatever the order of failing and coming back, once what came back has settled."""
    ledger = Ledger(wiring=lambda connection: WIRING)
    down: set[str] = set()
    steps = data.draw(st.lists(st.sampled_from(THINGS), max_size=14))
    for number, name in enumerate(steps):
        phase = "end" if name in down else "begin"
        down ^= {name}
        episode = f"{name}-{steps[:number].count(name) // 2}"
        ledger.tell(silent(name, number, phase, episode=episode))
    ledger.pass_until(len(steps) + 150)
    lasting = {one.key.device: one for one in ledger.all if one.condition_active}
    assert set(lasting) == down
    for name, one in lasting.items():
        cause = root_of(name, down)
        assert one.part_of == (lasting[cause].id if cause else None)
        assert cause is not None or not one.owed
    for one in ledger.all:
        assert one.parts == sum(other.part_of == one.id for other in ledger.all)
    ledger.close()
