from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest.incidents.facts import (
    Case,
    EpisodeState,
    EventFact,
    StaffFact,
    Tick,
    episode_after,
)
from ingest.incidents.fold import apply, fold
from ingest.incidents.incident import Incident, Key, Picture, Transition
from ingest.incidents.machine import decide
from ingest.incidents.policy import Policy, policy_for

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = Key(site="c001", node="c001-n07", device="cam-1", event="object-in-zone", zone="door")
SAFE = Policy(safety=True)
PLAIN = Policy()


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(
    phase="begin",
    episode="e1",
    time=0.0,
    delay=0.1,
    severity="medium",
    since=0.0,
    label="person",
    **more,
):
    return EventFact(
        key=KEY,
        area="b03",
        subject=None,
        event_id=f"{episode}-{phase}-{time}",
        phase=phase,
        episode=episode,
        severity=severity,
        object_label=label,
        since=at(since),
        at=at(time),
        heard=at(time + delay),
        **more,
    )


def staff(wish, note=None, **more):
    if wish == "false-alarm":
        wish, more = "label", {"label": wish}
    return StaffFact(wish=wish, actor="user:wang", note=note, **more)


class World:
    """The table of incidents in memory: picks the incident a fact belongs to."""

    def __init__(self, policy: Policy = PLAIN) -> None:
        self.policy = policy
        self.rows: dict[str, list[Transition]] = {}
        self.cache: dict[str, Incident] = {}
        self.episodes: dict[str, tuple[str, EpisodeState]] = {}
        self.numbers = count(1)

    def tell(self, fact: EventFact | StaffFact | Tick, now: datetime) -> tuple[Transition, ...]:
        if isinstance(fact, EventFact):
            fact = replace(fact, policy=self.policy)
        case = self._case(fact)
        rows = decide(case, fact, now)
        incident = case.incident
        for row in rows:
            incident = apply(None if row.step == "opened" else incident, row)
            self.rows.setdefault(row.incident, []).append(row)
            self.cache[row.incident] = incident
        if isinstance(fact, EventFact):
            assert incident is not None
            self.episodes[fact.episode] = (incident.id, episode_after(case.episode, fact.phase))
        return rows

    def steps(self, fact, now):
        return [row.step for row in self.tell(fact, now)]

    def _case(self, fact) -> Case:
        unresolved = [one for one in self.cache.values() if one.state != "resolved"]
        latest = max(self.cache.values(), key=lambda one: one.number, default=None)
        home = unresolved[0] if unresolved else latest
        if not isinstance(fact, EventFact):
            return Case(incident=home)
        owner, state = self.episodes.get(fact.episode, (None, "new"))
        if owner and (state == "ended" or not unresolved):
            home = self.cache[owner]
        if home is not None and owner not in (None, home.id):
            state = "new"
        number = next(self.numbers)
        return Case(
            incident=home,
            episode=state,
            others_active=home is not None
            and any(
                one == home.id and here == "active" and name != fact.episode
                for name, (one, here) in self.episodes.items()
            ),
            fresh_id=f"i{number}",
            fresh_number=number,
        )

    @property
    def only(self) -> Incident:
        assert len(self.cache) == 1, list(self.cache)
        return next(iter(self.cache.values()))


TABLE = [
    # name, policy, [(fact, seconds of now)], steps of the last fact, (state, active, count)
    ("a begin opens", PLAIN, [(event(), 0.1)], ["opened"], ("open", True, 1)),
    (
        "the same begin twice is once",
        PLAIN,
        [(event(), 0.1), (event(), 0.2)],
        [],
        ("open", True, 1),
    ),
    (
        "another episode of an open key repeats",
        PLAIN,
        [(event(), 0.1), (event(episode="e2", time=9, since=9), 9.1)],
        ["repeated"],
        ("open", True, 2),
    ),
    (
        "an end clears and does not resolve",
        PLAIN,
        [(event(), 0.1), (event("end", time=8), 8.1)],
        ["cleared"],
        ("open", False, 1),
    ),
    (
        "the end of one of two episodes clears nothing",
        PLAIN,
        [
            (event(), 0.1),
            (event(episode="e2", time=2, since=2), 2.1),
            (event("end", time=8), 8.1),
        ],
        ["updated"],
        ("open", True, 2),
    ),
    (
        "an end before its begin is one incident",
        PLAIN,
        [(event("end", time=8), 8.1), (event(), 8.2)],
        [],
        ("open", False, 1),
    ),
    (
        "a new episode after clearing is active again",
        PLAIN,
        [
            (event(), 0.1),
            (event("end", time=8), 8.1),
            (event(episode="e2", time=20, since=20), 20.1),
        ],
        ["recurred", "repeated"],
        ("open", True, 2),
    ),
    (
        "acknowledging twice is once",
        PLAIN,
        [(event(), 0.1), (staff("acknowledge"), 1), (staff("acknowledge"), 2)],
        [],
        ("acknowledged", True, 1),
    ),
    (
        "worse un-acknowledges",
        PLAIN,
        [
            (event(), 0.1),
            (staff("acknowledge"), 1),
            (event("update", time=3, severity="critical"), 3.1),
        ],
        ["worsened"],
        ("open", True, 1),
    ),
    (
        "milder changes nothing but the time",
        PLAIN,
        [
            (event(), 0.1),
            (staff("acknowledge"), 1),
            (event("update", time=3, severity="low"), 3.1),
        ],
        ["updated"],
        ("acknowledged", True, 1),
    ),
    (
        "an open one may be resolved at once",
        PLAIN,
        [(event(), 0.1), (staff("resolve"), 1)],
        ["resolved"],
        ("resolved", True, 1),
    ),
    (
        "a false alarm is a label and resolved",
        SAFE,
        [(event(), 0.1), (staff("false-alarm"), 1)],
        ["labelled", "resolved"],
        ("resolved", True, 1),
    ),
    (
        "a resolved one may still be called a false alarm",
        SAFE,
        [(event(), 0.1), (staff("resolve"), 1), (staff("false-alarm"), 2)],
        ["labelled"],
        ("resolved", True, 1),
    ),
    (
        "acknowledging a resolved one does nothing",
        PLAIN,
        [(event(), 0.1), (staff("resolve"), 1), (staff("acknowledge"), 2)],
        [],
        ("resolved", True, 1),
    ),
    (
        "work may start without acknowledging first",
        PLAIN,
        [(event(), 0.1), (staff("start"), 1)],
        ["started"],
        ("in-progress", True, 1),
    ),
    (
        "within the flap window it is the same incident",
        PLAIN,
        [
            (event(), 0.1),
            (event("end", time=8), 8.1),
            (staff("resolve"), 10),
            (event(episode="e2", time=129, since=129), 129.1),
        ],
        ["reopened", "repeated"],
        ("open", True, 2),
    ),
    (
        "a late begin of an ended episode does not re-open",
        PLAIN,
        [(event("end", time=8), 8.1), (staff("resolve"), 10), (event(), 11)],
        [],
        ("resolved", False, 1),
    ),
    (
        "what goes on after resolving does not re-open",
        PLAIN,
        [(event(), 0.1), (staff("resolve"), 10), (event("update", time=12), 12.1)],
        ["updated"],
        ("resolved", True, 1),
    ),
    (
        "what gets worse after resolving does",
        PLAIN,
        [
            (event(), 0.1),
            (staff("resolve"), 10),
            (event("update", time=12, severity="high"), 12.1),
        ],
        ["reopened", "worsened"],
        ("open", True, 1),
    ),
    (
        "clear for ten minutes resolves by itself",
        PLAIN,
        [(event(), 0.1), (event("end", time=8), 8.1), (Tick(), 608)],
        ["resolved"],
        ("resolved", False, 1),
    ),
    (
        "clear for less does not",
        PLAIN,
        [(event(), 0.1), (event("end", time=8), 8.1), (Tick(), 607.9)],
        [],
        ("open", False, 1),
    ),
    (
        "an active one never resolves by itself",
        PLAIN,
        [(event(), 0.1), (Tick(), 99999)],
        [],
        ("open", True, 1),
    ),
    (
        "a safety kind waits for a person",
        SAFE,
        [(event(), 0.1), (event("end", time=8), 8.1), (Tick(), 99999)],
        [],
        ("open", False, 1),
    ),
    (
        "late and over is recorded",
        PLAIN,
        [(event(delay=4000), 4000), (event("end", time=8, delay=4000), 4008)],
        ["cleared", "resolved"],
        ("resolved", False, 1),
    ),
    (
        "late and over is recorded, whichever came first",
        PLAIN,
        [(event("end", time=8, delay=4000), 4008)],
        ["opened", "cleared", "resolved"],
        ("resolved", False, 1),
    ),
    (
        "late and over stays listed for a safety kind",
        SAFE,
        [(event(delay=4000), 4000), (event("end", time=8, delay=4000), 4008)],
        ["cleared"],
        ("open", False, 1),
    ),
    (
        "late and still going on is open",
        PLAIN,
        [(event(delay=301), 301)],
        ["opened"],
        ("open", True, 1),
    ),
]


@pytest.mark.parametrize(
    ("policy", "told", "steps", "outcome"),
    [row[1:] for row in TABLE],
    ids=[row[0].replace(" ", "-") for row in TABLE],
)
def test_steps(policy, told, steps, outcome) -> None:
    world = World(policy)
    for fact, now in told[:-1]:
        world.tell(fact, at(now))
    fact, now = told[-1]
    assert world.steps(fact, at(now)) == steps
    incident = world.only
    assert (incident.state, incident.condition_active, incident.count) == outcome
    assert fold(world.rows[incident.id]) == incident


def test_after_the_flap_window_it_is_another_incident() -> None:
    world = World()
    world.tell(event(), at(0.1))
    world.tell(staff("resolve"), at(10))
    assert world.steps(event(episode="e2", time=131, since=131), at(131.1)) == ["opened"]
    assert len(world.cache) == 2


def test_a_week_old_episode_does_not_reopen_what_was_resolved_today() -> None:
    world = World()
    world.tell(event(), at(0.1))
    world.tell(staff("resolve"), at(10))
    old = -7 * 86400
    fact = replace(event(episode="e2", time=old, since=old), heard=at(20))
    assert world.steps(fact, at(20)) == ["opened"]
    assert [one.late for one in world.cache.values()] == [False, True]


def test_reopening_forgets_the_judgement() -> None:
    world = World()
    world.tell(event(), at(0.1))
    world.tell(staff("acknowledge"), at(1))
    world.tell(staff("false-alarm", note="a pram"), at(2))
    assert (world.only.label, world.only.resolved_by) == ("false-alarm", "user:wang")
    world.tell(event(episode="e2", time=5, since=5), at(5.1))
    assert (world.only.label, world.only.acknowledged_by, world.only.resolved) == (None, None, None)
    notes = [row.note for row in world.rows[world.only.id] if row.note]
    assert notes == ["a pram"]


def test_old_news_does_not_reopen_what_a_person_closed() -> None:
    world = World()
    world.tell(event(), at(0.1))
    world.tell(staff("false-alarm", note="a pram"), at(100))
    old = event(episode="e2", time=50, since=50, delay=4000, severity="critical")
    assert world.steps(old, at(4050)) == ["repeated", "worsened"]
    worse = event("update", time=60, delay=4000, severity="critical")
    assert world.steps(worse, at(4060)) == ["updated"]
    only = world.only
    assert (only.state, only.label, only.resolved_by) == ("resolved", "false-alarm", "user:wang")
    assert only.count == 2


def test_what_happened_just_before_closing_and_is_heard_just_after_is_not_lost() -> None:
    world = World(SAFE)
    world.tell(event(), at(0.1))
    world.tell(staff("false-alarm"), at(10))
    assert world.steps(event(episode="e2", time=9.9, since=9.9), at(10.1)) == ["opened"]
    assert [(one.state, one.label) for one in world.cache.values()] == [
        ("resolved", "false-alarm"),
        ("open", None),
    ]


def test_a_worse_figure_of_before_closing_reopens_and_keeps_the_verdict() -> None:
    world = World()
    world.tell(event(), at(0.1))
    world.tell(staff("false-alarm"), at(10))
    worse = event("update", time=9.9, severity="critical")
    assert world.steps(worse, at(10.1)) == ["reopened", "worsened"]
    assert (world.only.state, world.only.label) == ("open", "false-alarm")


def test_care_that_was_asked_for_once_is_not_taken_back_when_it_opens_again() -> None:
    world = World(SAFE)
    world.tell(event(), at(0.1))
    world.tell(staff("resolve"), at(10))
    world.policy = Policy(flap=timedelta(hours=1), clear_after=timedelta(seconds=7))
    assert world.steps(event(episode="e2", time=60, since=60), at(60.1))[0] == "reopened"
    policy = world.only.policy
    assert (policy.safety, policy.clear_after) == (True, timedelta(seconds=7))


def test_late_is_what_was_old_when_first_heard_of() -> None:
    world = World()
    world.tell(event(delay=301), at(301))
    assert world.only.late
    prompt = World()
    prompt.tell(event(delay=300), at(300))
    assert not prompt.only.late


def test_the_latest_picture_is_shown_and_a_withheld_one_hides_none() -> None:
    world = World()
    late, early = Picture(redaction="heads", id="b"), Picture(redaction="heads", id="a")
    world.tell(event("update", time=5, picture=late), at(5.1))
    assert world.steps(event(time=0, picture=early), at(5.2)) == []
    world.tell(event("update", time=9, picture=Picture(redaction="withheld")), at(9.1))
    assert world.only.picture == late
    assert world.steps(event("update", time=9, picture=late), at(9.2)) == []
    newer = event(episode="e2", time=20, since=20, picture=early)
    assert world.steps(newer, at(20.1)) == ["repeated", "pictured"]


def test_policies_by_name() -> None:
    assert policy_for("ebike-in-elevator").safety
    assert not policy_for("object-in-zone").safety


def test_a_history_must_begin_with_opened() -> None:
    row = Transition(incident="i", step="resolved", at=NOON, recorded=NOON, actor="user:x")
    with pytest.raises(ValueError, match="begins with opened"):
        fold([row])
    with pytest.raises(ValueError, match="at least one"):
        fold([])


SEVERITY = st.sampled_from(["critical", "high", "medium", "low"])


@st.composite
def episodes(draw) -> list[EventFact]:
    facts: list[EventFact] = []
    for number in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, 200))
        end = begin + draw(st.integers(1, 60))
        middle = draw(st.integers(begin, end))
        picture = Picture(redaction="heads", id=f"p{number}")
        for phase, time in (("begin", begin), ("update", middle), ("end", end)):
            facts.append(
                event(
                    phase,
                    episode=f"e{number}",
                    time=time,
                    since=begin,
                    severity=draw(SEVERITY),
                    confidence=draw(st.floats(0, 1)),
                    dwell=float(time - begin),
                    picture=picture if draw(st.booleans()) else None,
                )
            )
    return facts


def settled(facts: list[EventFact]) -> Incident:
    world = World(SAFE)
    for fact in facts:
        world.tell(fact, at(300))
    assert fold(world.rows[world.only.id]) == world.only
    return world.only


ORDERLESS = ["key", "state", "condition_active", "severity", "count", "first", "last", "cleared"]
ORDERLESS += ["confidence", "dwell", "late", "picture"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_order_and_duplicates_do_not_matter(data) -> None:
    facts = data.draw(episodes())
    shuffled = data.draw(st.permutations(facts + data.draw(st.lists(st.sampled_from(facts)))))
    straight, mixed = settled(sorted(facts, key=lambda fact: fact.at)), settled(shuffled)
    for name in ORDERLESS:
        assert getattr(straight, name) == getattr(mixed, name), name


WISHES = st.sampled_from(["acknowledge", "start", "resolve", "false-alarm"])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_cache_is_always_the_fold_and_one_is_open_at_most(data) -> None:
    facts = data.draw(episodes())
    told = data.draw(
        st.lists(st.one_of(st.sampled_from(facts), WISHES.map(staff), st.just(Tick())), max_size=30)
    )
    world = World(data.draw(st.sampled_from([SAFE, PLAIN])))
    now = 0.0
    for fact in told:
        now += data.draw(st.integers(0, 400))
        world.tell(fact, at(now))
        assert sum(one.state != "resolved" for one in world.cache.values()) <= 1
        for name, incident in world.cache.items():
            assert fold(world.rows[name]) == incident
            assert incident.version == len(world.rows[name])


def test_what_made_it_worse_is_what_it_is_called() -> None:
    world = World()
    world.tell(event(label="full"), at(0.1))
    world.tell(event("update", time=2, label="overflowing", severity="high"), at(2.1))
    assert (world.only.object_label, world.only.severity) == ("overflowing", "high")
    world.tell(event("update", time=3, label="full", severity="medium"), at(3.1))
    assert (world.only.object_label, world.only.severity) == ("overflowing", "high")
