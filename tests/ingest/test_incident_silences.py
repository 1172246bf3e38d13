"""Silences: nobody is called while one holds, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import GUEST, NOON, STAFF, Folder
from hypothesis import given
from hypothesis import strategies as st
from ledger import SAFE, Ledger, at, event
from msgspec.structs import replace

from ingest.consumers.incidents import SETTLE, TickJob
from ingest.feed import Feed
from ingest.incidents import flow
from ingest.incidents.flow import Surroundings
from ingest.incidents.silence import (
    LONGEST,
    WEEKDAYS,
    Matchers,
    Silence,
    Weekly,
    check,
    covers,
    window,
)
from ingest.refusal import NotAllowed, NotThere, NotUsable
from ingest.services.silences import SilenceService
from ingest.store.engine import writing
from linli.errors import InputError

HOUR = 3600
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
EVERY_DAY = Weekly(days=WEEKDAYS, start="22:00", end="06:30")


def made(**more) -> Silence:
    values = {"id": "s", "matchers": Matchers(areas=("b03",)), "starts": at(0), "ends": at(HOUR)}
    values |= {"why": "paint", "created": at(0), "created_by": "user:wang"}
    return Silence(**{**values, **more})


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger(zone=SHANGHAI)
    yield ledger
    ledger.close()


def test_it_holds_from_its_start_until_before_its_end() -> None:
    one = made()
    held = [window(one, at(seconds), UTC) is not None for seconds in (-1, 0, HOUR - 1, HOUR)]
    assert held == [False, True, True, False]
    assert window(made(ended=at(60)), at(61), UTC) is None
    assert window(made(starts=at(-HOUR)), at(-1), UTC) is None


@pytest.mark.parametrize(
    ("wall", "weekly", "span"),
    [
        ("2026-03-02 21:59", EVERY_DAY, None),
        ("2026-03-02 22:00", EVERY_DAY, ("2026-03-02 22:00", "2026-03-03 06:30")),
        ("2026-03-03 06:29", EVERY_DAY, ("2026-03-02 22:00", "2026-03-03 06:30")),
        ("2026-03-03 06:30", EVERY_DAY, None),
        ("2026-03-08 03:00", Weekly(days=("sat",), start="22:00", end="06:00"), ("", "")),
        ("2026-03-08 23:00", Weekly(days=("sat",), start="22:00", end="06:00"), None),
        ("2026-03-07 23:59", Weekly(days=("sat",), start="00:00", end="24:00"), ("", "")),
        ("2026-03-08 00:00", Weekly(days=("sat",), start="00:00", end="24:00"), None),
        ("2026-03-07 12:00", Weekly(days=("sat",), start="08:00", end="08:00"), ("", "")),
    ],
)
def test_weekly_hours_are_those_of_the_sites_clocks(wall, weekly, span) -> None:
    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    start = datetime(2026, 1, 1, tzinfo=UTC)
    one = made(starts=start, created=start, ends=datetime(2026, 12, 1, tzinfo=UTC), weekly=weekly)
    found = window(one, local(wall).astimezone(UTC), SHANGHAI)
    if span is None or span == ("", ""):
        assert (found is not None) == (span is not None)
    else:
        assert found == tuple(local(text) for text in span)


def test_hours_that_a_change_of_clocks_takes_or_gives() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    one = made(starts=start, created=start, ends=datetime(2026, 12, 1, tzinfo=UTC))
    night = replace(one, weekly=Weekly(days=("sun",), start="01:00", end="04:00"))
    spring = window(night, datetime(2026, 3, 29, 0, 30, tzinfo=UTC), BERLIN)
    autumn = window(night, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BERLIN)
    assert spring is not None
    assert autumn is not None
    assert [span[1] - span[0] for span in (spring, autumn)] == [
        timedelta(hours=2),
        timedelta(hours=4),
    ]


@given(
    st.integers(0, 10 * 86_400), st.sampled_from(["00:00", "07:45", "22:00", "24:00"]), st.data()
)
def test_a_window_holds_at_every_moment_of_it(seconds: int, start: str, data) -> None:
    end = data.draw(st.sampled_from(["00:00", "06:30", "12:00", "24:00"]))
    days = tuple(data.draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1)))
    one = made(ends=at(9 * 86_400), weekly=Weekly(days=days, start=start, end=end))
    found = window(one, at(seconds), SHANGHAI)
    if found is not None:
        assert found[0] <= at(seconds) < found[1]
        assert one.starts <= found[0]
        assert found[1] <= one.ends
        assert window(one, found[1] - timedelta(seconds=1), SHANGHAI) is not None


@pytest.mark.parametrize(
    ("matchers", "fits"),
    [
        (Matchers(sites=("c001",)), True),
        (Matchers(sites=("c002",)), False),
        (Matchers(areas=("b03", "b04")), True),
        (Matchers(devices=("c001-n07/cam-1",)), True),
        (Matchers(devices=("c001-n07",)), True),
        (Matchers(devices=("cam-1",)), False),
        (Matchers(events=("zone-dwell",), severities=("medium", "low")), True),
        (Matchers(events=("zone-dwell",), severities=("critical",)), False),
        (Matchers(areas=("b04",), devices=("c001-n07",)), False),
    ],
)
def test_all_that_is_given_must_fit(ledger: Ledger, matchers: Matchers, fits: bool) -> None:
    one, _ = ledger.tell(event())
    assert matchers.fit(one) is fits


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"matchers": Matchers()}, "matchers"),
        ({"ends": at(0)}, "ends"),
        ({"ends": at(0) + LONGEST + timedelta(seconds=1)}, "ends"),
        ({"weekly": Weekly(days=("mon",), start="25:00", end="06:00")}, "start"),
        ({"weekly": Weekly(days=("mon",), start="22:00", end="6:00")}, "end"),
        ({"weekly": EVERY_DAY, "ends": at(0) + timedelta(days=367)}, "ends"),
    ],
)
def test_what_could_never_hold_or_be_forgotten_is_refused(change, where: str) -> None:
    with pytest.raises(InputError) as refused:
        check(made(**change))
    assert refused.value.where == where


def test_what_comes_in_a_silence_is_recorded_and_calls_nobody(ledger: Ledger) -> None:
    ledger.silence(0, HOUR)
    ledger.tell(event(time=10))
    one = ledger.only
    assert (one.state, one.aside, one.shelved_until) == ("open", "shelved", at(HOUR))
    assert one.shelved_by == "silence:s0"
    assert ledger.pages() == [("opened", "hold", "shelved")]


def test_what_still_goes_on_when_it_ends_calls(ledger: Ledger) -> None:
    ledger.silence(0, HOUR)
    ledger.tell(event(time=10))
    ledger.pass_until(HOUR)
    assert ledger.pages()[1:] == [("unshelved", "call", "silence-over")]


@pytest.mark.parametrize("policy", [None, SAFE], ids=["other", "safety"])
def test_what_ended_in_it_calls_nobody_and_its_end_is_not_hidden(ledger: Ledger, policy) -> None:
    more = {"policy": policy} if policy else {}
    ledger.silence(0, HOUR)
    ledger.tell(event(time=10, **more), event("end", time=40, **more))
    assert not ledger.only.condition_active
    ledger.pass_until(2 * HOUR)
    assert ledger.called() == []
    # A safety kind that nobody has seen stays listed all the same.
    assert ledger.only.state == ("open" if policy else "resolved")


def test_it_never_hides_that_something_was_resolved(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.silence(10, HOUR)
    ledger.recheck(one, 10)
    ledger.tell(event("end", time=30))
    ledger.staff(one, "resolve", 40)
    assert ledger.pages()[1:] == [("cleared", "tell", "ended"), ("resolved", "tell", "resolved")]
    assert ledger.only.aside is None


def test_worse_than_it_silences_calls_at_once(ledger: Ledger) -> None:
    ledger.silence(0, HOUR, matchers=Matchers(severities=("low", "medium")))
    ledger.tell(event(time=10), event("update", time=20, severity="high"))
    assert ledger.called() == ["worse"]
    assert ledger.only.aside is None


def test_where_one_ends_and_another_goes_on(ledger: Ledger) -> None:
    ledger.silence(0, HOUR)
    ledger.tell(event(time=10))
    ledger.silence(20, 2 * HOUR)
    ledger.pass_until(HOUR)
    assert (ledger.only.shelved_until, ledger.called()) == (at(2 * HOUR), [])
    ledger.pass_until(2 * HOUR)
    assert ledger.called() == ["silence-over"]


def test_a_reminder_is_a_call_too(ledger: Ledger) -> None:
    one, _ = ledger.tell(event())
    ledger.staff(one, "acknowledge", 10)
    ledger.silence(20, 2 * HOUR)
    ledger.pass_until(HOUR)
    assert ("reminded", "hold", "shelved") in ledger.pages()


def test_a_planned_one_holds_back_what_would_be_a_call_then(ledger: Ledger) -> None:
    ledger.silence(HOUR, 2 * HOUR, created=at(0))
    ledger.tell(event(time=10), event(episode="x", zone="gate", time=HOUR + 1))
    assert [one.aside for one in ledger.all] == [None, "shelved"]


def test_silences_held_at_once_are_told_longest_first() -> None:
    found = covers([made(id="a"), made(id="b", ends=at(2 * HOUR)), made(id="c")], at(1), UTC)
    assert [one.silence for one in found] == ["b", "c", "a"]


class Desk:
    """The service, with incidents to silence."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        around = Surroundings(zone=SHANGHAI)
        self.told: list[str] = []
        feed = Feed()
        feed.tell = self.told.append  # type: ignore[method-assign, assignment]
        self.service = SilenceService(self.folder.reader("state"), self.folder.state, feed, around)
        self.ledger = Ledger(self.folder.state, zone=SHANGHAI)

    def add(self, seconds: float, **more) -> Silence:
        values = {"ends": at(HOUR), "why": " lift repair ", "now": at(seconds)}
        return self.service.add(STAFF, Matchers(areas=("b03",)), **{**values, **more})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.folder.close()


def test_who_and_why_are_kept_and_what_is_open_is_shelved(desk: Desk) -> None:
    desk.ledger.tell(event(), event(area="b04", zone="gate", episode="g"))
    one = desk.add(10)
    assert (one.created_by, one.why, one.starts) == ("user:wang", "lift repair", at(10))
    assert [found.aside for found in desk.ledger.all] == ["shelved", None]
    assert desk.told == ["incidents"]
    assert desk.service.get(GUEST, one.id) == one


def test_ending_one_early_calls_for_what_goes_on_and_keeps_it_as_history(desk: Desk) -> None:
    one = desk.add(0)
    desk.ledger.tell(event(time=5))
    ended = desk.service.end(STAFF, one.id, at(60))
    assert (ended.ended, ended.ended_by) == (at(60), "user:wang")
    assert desk.service.end(STAFF, one.id, at(90)) == ended
    assert desk.ledger.pages()[-1] == ("unshelved", "call", "silence-over")
    phases = {
        phase: [found.id for found in desk.service.list(GUEST, at(61), phase=phase).items]
        for phase in ("current", "planned", "past")
    }
    assert phases == {"current": [], "planned": [], "past": [one.id]}


class Timer:
    """The timer of the running service, looked at by hand."""

    def __init__(self, desk: Desk) -> None:
        folder, self._desk = desk.folder, desk
        self._told = Feed()
        self._told.tell = desk.told.append  # type: ignore[method-assign, assignment]
        readers = folder.reader("journal"), folder.reader("state")
        around = Surroundings(zone=SHANGHAI)
        self._job = TickJob(*readers, folder.state, self._told, folder.clock, around=around)

    def look(self, seconds: float) -> list[str | None]:
        """Return what is set aside after a look at a second."""
        clock = self._desk.folder.clock
        clock.advance((at(seconds) + SETTLE - clock.now()).total_seconds())
        self._job.step()
        return [one.aside for one in self._desk.ledger.all]


def test_when_one_begins_what_is_open_is_shelved_and_calls_at_its_end(desk: Desk) -> None:
    seen, _ = desk.ledger.tell(event(zone="gate", episode="g"))
    desk.ledger.staff(seen, "acknowledge", 2)
    desk.ledger.tell(event(), event(area="b04", zone="yard", episode="y"))
    desk.add(10, starts=at(600), ends=at(900))
    timer = Timer(desk)
    assert timer.look(599) == [None, None, None]
    desk.told.clear()
    assert timer.look(600) == ["shelved", "shelved", None]
    assert desk.told == ["incidents"]
    assert timer.look(601) == ["shelved", "shelved", None]
    before = len(desk.ledger.rows())
    assert Timer(desk).look(602) == ["shelved", "shelved", None]
    assert len(desk.ledger.rows()) == before
    assert timer.look(900) == [None, None, None]
    assert desk.ledger.called() == ["new", "new", "new", "silence-over"]


def test_one_of_each_week_shelves_what_is_open_each_time(desk: Desk) -> None:
    desk.ledger.tell(event())
    evening = Weekly(days=WEEKDAYS, start="20:10", end="20:20")  # ten minutes after noon in UTC
    desk.add(10, weekly=evening, ends=at(3 * 86_400))
    timer = Timer(desk)
    for day in (0, 86_400):
        looks = [timer.look(day + second) for second in (599, 600, 1199, 1200)]
        assert looks == [[None], ["shelved"], ["shelved"], [None]]


def test_no_silence_begins_ahead_of_what_the_journal_still_has_to_tell(desk: Desk) -> None:
    desk.ledger.tell(event())
    desk.add(10, starts=at(600), ends=at(900))
    desk.folder.clock.advance(300)
    desk.folder.put_event(desk.folder.event())
    assert Timer(desk).look(700) == [None]


def test_what_a_person_shelved_is_theirs(desk: Desk) -> None:
    one, _ = desk.ledger.tell(event())
    desk.ledger.staff(one, "shelve", 5, until=at(2 * HOUR))
    silence = desk.add(10)
    desk.service.end(STAFF, silence.id, at(20))
    assert desk.ledger.only.shelved_by == "user:wang"


def test_lists_are_paged_newest_first(desk: Desk) -> None:
    ids = [desk.add(number).id for number in range(3)]
    first = desk.service.list(GUEST, at(9), limit=2)
    rest = desk.service.list(GUEST, at(9), limit=2, cursor=first.next)
    assert [one.id for one in (*first.items, *rest.items)] == ids[::-1]
    assert rest.next is None
    desk.add(10, starts=at(60))
    assert len(desk.service.list(GUEST, at(10), phase="planned").items) == 1


@pytest.mark.parametrize("why", ["", "   ", "x" * 501])
def test_a_silence_without_a_reason_is_refused(desk: Desk, why: str) -> None:
    with pytest.raises(NotUsable):
        desk.add(0, why=why)


def test_who_may(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.service.add(GUEST, Matchers(areas=("b03",)), ends=at(9), why="x", now=NOON)
    with pytest.raises(NotAllowed):
        desk.service.end(GUEST, "x", NOON)
    with pytest.raises(NotThere):
        desk.service.end(STAFF, "x", NOON)
    with pytest.raises(NotThere):
        desk.service.get(GUEST, "x")


def test_replaying_asks_no_silence_that_was_not_made_yet(desk: Desk) -> None:
    desk.add(60)
    with writing(desk.folder.state) as connection:
        flow.take(connection, event(time=30))
    assert desk.ledger.called() == ["new"]


def test_what_it_would_have_kept_quiet_is_counted_before_it_is_made(desk: Desk) -> None:
    day = 86_400
    desk.ledger.tell(event(time=-40 * day, zone="old", episode="o"))  # too long ago
    desk.ledger.tell(event(time=-3 * day, zone="night", episode="n"))  # 20:00 on site
    desk.ledger.tell(event(time=-day - 6 * HOUR, zone="noon", episode="d"))  # 14:00
    desk.ledger.tell(event(time=-day, area="b04", zone="gate", episode="g"))
    b03, evening = Matchers(areas=("b03",)), Weekly(days=WEEKDAYS, start="19:00", end="21:00")
    rows = len(desk.ledger.rows())
    all_day = desk.service.preview(STAFF, b03, at(0))
    assert (all_day.calls, all_day.incidents, all_day.complete) == (2, 2, True)
    assert [one.incident.key.zone for one in all_day.newest] == ["noon", "night"]
    assert all_day.newest[0].at == at(-day - 6 * HOUR)
    at_night = desk.service.preview(STAFF, b03, at(0), weekly=evening)
    assert [one.incident.key.zone for one in at_night.newest] == ["night"]
    severe = Matchers(areas=("b03",), severities=("critical",))
    assert desk.service.preview(STAFF, severe, at(0)).newest == ()
    assert desk.service.preview(STAFF, Matchers(devices=("c001-n07",)), at(0)).calls == 3
    assert desk.service.list(STAFF, at(0)).items == (), "nothing was made"
    assert len(desk.ledger.rows()) == rows
    desk.add(0)
    desk.ledger.tell(event(time=5, zone="later", episode="l"))
    assert desk.service.preview(STAFF, b03, at(60)).calls == 2, "what is silent calls nobody"


def test_a_preview_has_the_rules_and_the_rights_of_a_silence(desk: Desk) -> None:
    with pytest.raises(InputError):
        desk.service.preview(STAFF, Matchers(), at(0))
    half = Weekly(days=WEEKDAYS, start="8:00", end="09:00")
    with pytest.raises(InputError):
        desk.service.preview(STAFF, Matchers(areas=("b03",)), at(0), weekly=half)
    with pytest.raises(NotAllowed):
        desk.service.preview(GUEST, Matchers(areas=("b03",)), at(0))
