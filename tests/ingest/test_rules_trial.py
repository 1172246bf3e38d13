"""`linli rules`: trying rules on what the journal holds, and the command line around it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import CAMERA, NODE, NOON, Folder

import ingest.rules.trial as trial_module
from ingest.rules.loading import builtin, load
from ingest.rules.rule_set import Known, RuleSet
from ingest.rules.trial import Trial, try_rules
from ingest.store.journal import REPLAYED
from linli.events import Reading

ZONE = ZoneInfo("Asia/Shanghai")
HOT = """
[[rule]]
type = "threshold"
id = "hot"
label = "Hot"
severity = "high"
where = { kind = ["camera"] }
reading = "temperature"
above = 60
"""


@pytest.fixture
def folder(tmp_path: Path):
    folder = Folder(tmp_path / "data")
    yield folder
    folder.close()


def put(folder: Folder, value: float) -> None:
    folder.put_readings(Reading(n="temperature", v=value, u="Cel", t=folder.clock.now()))


def history(folder: Folder) -> None:
    """Two hot hours on the day before, one that is not over; an e-bike; time goes on."""
    for value in (20, 61, 40, 70, 30, 80):
        put(folder, value)
        folder.clock.advance(3600)
    folder.put_event(folder.event(name="ebike-in-elevator"))
    folder.clock.advance(10)
    folder.put_status("ready")


def tried(folder: Folder, text: str, first: float = -1, last: float = 24, **more: object) -> Trial:
    return try_rules(
        folder.reader("journal"),
        RuleSet(0, load(text), builtin(), ZONE),
        lambda *_: Known("camera"),
        start=NOON + timedelta(hours=first),
        end=NOON + timedelta(hours=last),
        zone=ZONE,
        **more,  # type: ignore[arg-type]
    )


def test_it_counts_by_device_and_day_and_gives_examples(folder: Folder) -> None:
    history(folder)
    found = tried(folder, HOT)
    hot = {one.rule: one for one in found.rules}["hot"]
    assert (found.complete, found.rows, found.unreadable) == (True, 8, 0)
    assert (hot.raised, hot.lasting, hot.label) == (3, 1, "Hot")
    # The third begins after midnight on the walls of the site.
    days = [(one.device, str(one.day), one.raised) for one in hot.counts]
    assert days == [(f"{NODE}/{CAMERA}", "2026-03-02", 2), (f"{NODE}/{CAMERA}", "2026-03-03", 1)]
    first, _, last = hot.examples
    assert (first.at, first.until) == (NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    assert (first.severity, first.why, last.until) == ("high", "temperature 61 (> 60)", None)


def test_what_a_built_in_rule_raises_is_counted_too(folder: Folder) -> None:
    history(folder)
    found = {one.rule: (one.raised, one.origin) for one in tried(folder, HOT).rules}
    assert found == {
        "hot": (3, "site"),
        "ebike-in-elevator": (1, "builtin"),
        "fire": (0, "builtin"),
        "passages": (0, "builtin"),
        "door-hold": (0, "builtin"),
        "voice-prompt": (0, "builtin"),
        "lamp-set": (0, "builtin"),
        "camera-away": (0, "builtin"),
        "sensor-offline": (0, "builtin"),
        "edge-silent": (0, "builtin"),
        "edge": (0, "builtin"),
    }


def test_only_what_happened_in_the_time_asked_for_counts(folder: Folder) -> None:
    history(folder)
    assert {one.rule: one.raised for one in tried(folder, HOT, 2.5, 4.5).rules}["hot"] == 1
    assert tried(folder, HOT, 30, 40).rows == 0
    assert tried(folder, HOT, -40, -30).rows == 0


def test_it_looks_further_back_than_it_counts(folder: Folder) -> None:
    put(folder, 61)
    folder.clock.advance(7200)
    put(folder, 62)
    folder.clock.advance(10)
    put(folder, 62)
    (hot, *_) = tried(folder, HOT + 'for = "2h"\n', 1.9).rules
    assert (hot.raised, hot.examples[0].at) == (1, NOON + timedelta(hours=2))


def test_an_empty_journal_has_nothing_to_say(folder: Folder) -> None:
    found = tried(folder, HOT)
    assert (found.rows, found.complete) == (0, True)


def test_rows_that_waited_for_their_device_do_not_lead_the_search_astray(folder: Folder) -> None:
    folder.clock.advance(3600)
    put(folder, 61)
    old = NOON - timedelta(days=9)
    folder.put_event(folder.event(time=old), flags=REPLAYED, received=0)
    folder.clock.advance(3600)
    put(folder, 20)
    folder.clock.advance(3600)
    folder.put_status("ready")
    assert tried(folder, HOT).rules[0].raised == 1


def test_poison_is_counted_and_stops_nothing(folder: Folder) -> None:
    folder.put("event", "zone-dwell", b"\xff", event_id="x", stream="0000000e", sequence=9)
    history(folder)
    found = tried(folder, HOT)
    assert (found.unreadable, found.rules[0].raised) == (1, 3)


def test_it_can_be_told_to_stop(folder: Folder, monkeypatch) -> None:
    monkeypatch.setattr(trial_module, "SLICE", 2)
    history(folder)
    asked: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> bool:
        asked.append((done, total))
        return done < 4

    found = tried(folder, HOT, progress=progress)
    assert (found.complete, found.rows, found.until) == (False, 4, NOON + timedelta(hours=3))
    assert asked[:2] == [(2, 8), (4, 8)]


def test_it_writes_nothing(folder: Folder) -> None:
    history(folder)
    folder.close()
    files = sorted(folder.path.glob("*.db"))
    before = [path.read_bytes() for path in files]
    tried(folder, HOT)
    assert [path.read_bytes() for path in files] == before
