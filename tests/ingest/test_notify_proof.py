"""Nothing is lost and nothing is told twice but in the one window, whatever happens when."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from notices import Office
from providers import Provider

from ingest.notify import outbox
from ingest.notify.channel import Pace
from ingest.notify.message import Failed, Language
from ingest.notify.note import ENDS, Note
from ingest.notify.posting import open_client
from ingest.notify.webhook import Webhook
from ingest.notify.wording import PageLinks
from ingest.store.engine import reading
from linli.errors import InputError
from linli.events import SEVERITIES

ANSWERS = (
    Failed(code="45009", words="limit", advice="pause", after=timedelta(minutes=1)),
    Failed(code="130101", words="limit", advice="pause", after=timedelta(minutes=10)),
    Failed(code="http-500", words="busy", advice="again"),
    Failed(code="timeout", words="no answer in time", advice="again"),
    Failed(code="93000", words="bad key", advice="never"),
)
CHANNELS = st.sampled_from(("bot", "mail"))
STEPS = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(SEVERITIES), st.sampled_from("abc")),
    st.tuples(st.just("act"), st.sampled_from(("acknowledge", "resolve"))),
    st.tuples(st.just("pass"), st.integers(1, 900)),
    st.tuples(st.just("pass"), st.sampled_from((3600, 10 * 3600))),  # into the quiet hours
    st.tuples(st.just("links"), st.booleans()),
    st.tuples(st.just("fail"), CHANNELS, st.sampled_from(ANSWERS)),
    st.tuples(st.just("fall"), CHANNELS),
    st.tuples(st.just("decide")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("work")),
)


class Course:
    """Plays one random run, and counts what reached the other side."""

    def __init__(self, path: Path) -> None:
        self.office = Office(path)
        for channel in self.office.channels.values():
            channel.rate = Pace(most=8, per=timedelta(minutes=1), burst=3)
        self.ended: dict[str, tuple[str, str | None]] = {}
        self.met: set[str] = set()
        """What has happened in this run, of what a run may meet."""

    def play(self, step: tuple[object, ...]) -> None:
        office = self.office
        match step:
            case ("begin", severity, zone):
                office.begin(severity=severity, zone=zone)
            case ("act", "acknowledge" | "resolve" as verb):
                office.act(verb)
            case ("pass", int(seconds)):
                office.clock.advance(seconds)
            case ("fail", str(channel), Failed() as failed):
                office.answer(channel, failed)
            case ("fall", str(channel)):
                self._fall(channel)
            case ("links", bool(broken)):
                office.links = BrokenLinks() if broken else PageLinks("https://linli.test")
                office.fresh()
            case ("decide",):
                while office.incidents.step() or office.notify.step():
                    pass
            case ("restart",):
                office.fresh()
            case _:
                office.once()
        self.holds()

    def _fall(self, channel: str) -> None:
        office = self.office
        if office.waits(channel):
            office.channels[channel].answers_now()
            office.fall_after_sending(channel)
            office.fresh()

    def holds(self) -> None:
        """Check what must hold after every step: each row stands once, with what became of it."""
        with reading(self.office.reader) as connection:
            notes = outbox.notes(connection, limit=10_000)
        states = Counter(note.state for note in notes)
        assert sum(states.values()) == len(notes) == len({note.key for note in notes})
        for note in notes:
            assert (note.ended is not None) == (note.state in ENDS)
            assert (note.reason is not None) == (note.state in {"suppressed", "dead"})
        found = {note.key: (note.state, note.reason) for note in notes}
        # What has ended stays as it ended, and no row goes.
        assert self.ended.items() <= found.items()
        self.ended = {note.key: found[note.key] for note in notes if note.state in ENDS}
        self._meet(notes)

    def _meet(self, notes: list[Note]) -> None:
        now = self.office.clock.now()
        for note in notes:
            self.met |= {f"{note.state} {note.reason}" if note.reason else note.state}
            self.met |= {"fallback"} if note.place and note.state == "sent" else set()
            self.met |= {"again"} if note.attempts > 1 and note.state == "sent" else set()
            self.met |= {"doubt"} if note.doubts else set()
            self.met |= {"quiet"} if note.next_at - now > timedelta(hours=2) else set()
        channels = self.office.channels
        for name, channel in channels.items():
            titles = [message.title for message, _ in channel.sent]
            self.met |= {"digest"} if any("条告警" in title for title in titles) else set()
            self.met |= {"no link"} if any(m.link is None for m, _ in channel.sent) else set()
            self.met |= {"slowed"} if self._slowed(name) else set()

    def _slowed(self, name: str) -> bool:
        """Tell whether something is due and only the channel's pace holds it."""
        with reading(self.office.reader) as connection:
            bucket = outbox.bucket(connection, name)
            due = outbox.pending(connection, name, self.office.clock.now())
        return due and bucket is not None and bucket.tokens < 1

    def finish(self) -> None:
        """Let everything end: then each sent row was told once, or its doubts say more."""
        for channel in self.office.channels.values():
            channel.answers_now()  # each failure still to come could rest a channel ten minutes
        self.office.once()  # what was not taken in yet can then be resolved
        self.office.act("resolve")
        self.office.work(minutes=30)
        self.office.clock.advance(10 * 3600)  # out of the quiet hours, if it is night
        self.office.work(minutes=1)
        self.holds()
        with reading(self.office.reader) as connection:
            notes = {note.key: note for note in outbox.notes(connection, limit=10_000)}
        assert not [note for note in notes.values() if note.state not in ENDS]
        told = Counter(self.office.keys_told())
        for key, note in notes.items():
            if note.state == "sent":
                assert 1 <= told[key] <= 1 + note.doubts, (note, told[key])
            else:
                assert told[key] <= note.doubts, (note, told[key])


class BrokenLinks:
    """Links cannot be made: the key cannot be read."""

    def link_for(
        self, incident: str, recipient: str, now: datetime, language: Language | None = None
    ) -> str | None:
        raise InputError("cannot be read", where="link-key")


RUNS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
"""Of made-up histories."""


@pytest.mark.timeout(400)  # Hypothesis traces every line where it looks for the least example
@settings(RUNS, max_examples=10)
@example([("pass", 36000)])
@example([("work",), ("pass", 36000)])
@given(st.lists(STEPS, max_size=25))
def test_created_is_sent_suppressed_or_dead_whatever_happens(
    steps: list[tuple[object, ...]],
) -> None:
    play_all(steps)


@pytest.mark.full
@pytest.mark.timeout(1200)
@settings(RUNS, max_examples=50)
@given(st.lists(STEPS, max_size=40))
def test_it_is_so_in_many_more_and_longer_ones(steps: list[tuple[object, ...]]) -> None:
    play_all(steps)


def play_all(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory(prefix="linli-proof-") as folder:
        course = Course(Path(folder))
        try:
            course.play(("begin", "high", "a"))
            for step in steps:
                course.play(step)
            course.finish()
        finally:
            course.office.close()


LIMIT, LONG, _, _, BAD = ANSWERS
EVERYTHING: tuple[tuple[object, ...], ...] = (
    *(("begin", "medium", zone) for zone in "abc"),
    *(("decide",), ("work",)),  # three that wait are a digest
    *(("begin", "high", "q"), ("decide",), ("act", "acknowledge"), ("decide",)),
    *(("begin", "high", "d"), ("fail", "bot", BAD), ("work",)),  # by the next contact
    *(("begin", "high", "e"), ("fail", "bot", LIMIT), ("work",), ("pass", 70), ("work",)),
    *(("begin", "critical", "f"), ("decide",), ("fall", "bot"), ("pass", 200), ("work",)),
    *(("links", True), ("begin", "high", "g"), ("work",), ("links", False)),
    *(("begin", "critical", zone) for zone in "hijklm"),
    *(("decide",), ("work",)),  # more at once than the channel takes
    *(("act", "acknowledge"), ("pass", 60), ("work",), ("act", "resolve"), ("work",)),
    *(("pass", 10 * 3600), ("begin", "low", "n"), ("work",), ("pass", 8 * 3600), ("work",)),
    *(("begin", "high", "o"), ("fail", "bot", LONG), ("begin", "high", "p"), ("work",)),
)


def test_the_equation_holds_through_everything_that_a_run_may_meet(tmp_path: Path) -> None:
    course = Course(tmp_path)
    try:
        for step in EVERYTHING:
            course.play(step)
        course.finish()
    finally:
        course.office.close()
    wanted = {
        *("sent", "digest", "fallback", "again", "doubt", "quiet", "no link", "slowed"),
        *("dead refused", "dead channel-rests", "suppressed acknowledged"),
    }
    assert wanted <= course.met, wanted - course.met


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    yield office
    office.close()


def test_a_webhook_that_is_down_for_an_hour_gets_everything_once(office: Office) -> None:
    with Provider({}) as provider, open_client() as client:
        hook = Webhook(client, ["secret"], allowed=[ip_network("127.0.0.0/8")])
        office.replace("bot", hook, address=provider.url + "hook")
        for _ in range(400):
            provider.say({"error": "down"}, status=503)
        office.begin(severity="critical", zone="a")
        office.work(minutes=60)
        assert office.tally().get("sent", 0) == len(office.channels["mail"].sent)
        provider.answers.clear()
        provider.asked.clear()
        office.work(minutes=12)
        keys = [asked["headers"]["webhook-id"] for asked in provider.asked]
        assert keys
        assert len(keys) == len(set(keys))
        assert not [state for state in office.tally() if state in {"waiting", "leased"}]
