"""A taught place over time: looks, votes, flicker, reports; and what the agent makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import places
import pytest

from edge.agent.readings import telemetry_of
from edge.agent.recorder import Recorder
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.facts import EpisodeFact, Fact, StateFact
from edge.messages import Address
from edge.pictures import MemoryEvidence
from edge.pipeline import CameraPipeline
from edge.redact import RedactedPicture
from edge.scene import Scene, TaughtPlace
from edge.settings import Camera, State, load_settings
from edge.source.frame import Frame
from edge.spool import Spool
from edge.states.judge import Judge
from edge.states.lesson import Lesson
from edge.states.teach import teach
from edge.states.watch import REPORT_EVERY, Report, StateWatch, Watched
from linli.clock import ManualClock
from linli.codec import decode
from linli.errors import InputError, StoreError
from linli.events import EventMessage, TelemetryMessage
from linli.topics import Topic

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAMES = ("person", "bicycle")
SHA = "ab" * 32
STATE = State(
    id="lamp-1", file="lamp.json", every=2, dwell=0, alarm=("off", "flickering"), event="lamp-fault"
)
CAMERA = Camera(id="cam", label="c", source="clip.mp4", subject="b03/door", state=(STATE,))
Lit = Callable[[float], float]


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return teach(places.lamps(), places.LAMP, START).lesson


def image(lit: float, second: float) -> places.Image:
    """Draw the lamp while the sun goes behind clouds and comes out again."""
    day = 0.4 + 0.3 * float(np.sin(second / 20))
    return places.lamp(lit=lit, day=day, seed=round(second * 10))


def watched(
    lesson: Lesson, lit: Lit, *, until: float, fps: float = 5, every: float = 2, dwell: float = 0
) -> tuple[StateWatch, list[tuple[float, Watched]]]:
    watch = StateWatch(Judge(lesson), every=every, dwell=dwell)
    times = [n / fps for n in range(int(until * fps))]
    seen = [(time, watch.see(image(lit(time), time), None, time)) for time in times]
    return watch, [(time, one) for time, one in seen if one != Watched()]


def test_the_first_state_is_told_then_each_change(lesson: Lesson) -> None:
    _, seen = watched(lesson, lambda second: float(second >= 9.5), until=20)
    (first, one), (second, two) = seen
    assert (first, second) == (4.0, 14.0)
    assert one.change is not None
    assert two.change is not None
    assert (one.change.state, one.change.before, one.change.since) == ("off", None, 0.0)
    assert (two.change.state, two.change.before, two.change.since) == ("on", "off", 10.0)
    assert two.report is not None
    assert two.report.states == ("off", "on", "flickering")
    assert (two.report.level, two.report.rate, two.report.known) == (None, None, 1.0)


def test_what_stays_is_reported_now_and_then(lesson: Lesson) -> None:
    _, seen = watched(lesson, lambda _: 1.0, until=2 * REPORT_EVERY + 60, fps=0.2, every=5)
    assert [one.change is not None for _, one in seen] == [True, False, False]
    assert seen[1][0] - seen[0][0] == pytest.approx(REPORT_EVERY, abs=5)


def test_a_state_that_nobody_sees_any_more_is_not_reported(lesson: Lesson) -> None:
    watch = StateWatch(Judge(lesson), every=5, dwell=0)
    here = np.array([[0.3, 0.0, 0.7, 1.0]])
    reports = []
    for second in range(0, 1260, 5):
        people = here if second > 30 else None
        report = watch.see(image(1.0, second), people, second).report
        if report:
            reports.append((second, report.state, report.known))
    assert reports == [
        (10, "on", 1.0),
        (610, None, pytest.approx(4 / 120)),
        (1210, None, 0.0),
    ]
    assert watch.standing.published is not None
    assert watch.answer is not None
    assert watch.answer.why == "person"


def test_flickering_is_seen_between_the_looks_and_ends(lesson: Lesson) -> None:
    def lit(second: float) -> float:
        return float((second * 1.5) % 1 < 0.5) if 20 <= second < 50 else 1.0

    _, seen = watched(lesson, lit, until=80)
    changes = [(time, one.change.state) for time, one in seen if one.change]
    assert [state for _, state in changes] == ["on", "flickering", "on"]
    assert 24 <= changes[1][0] <= 36
    assert 50 <= changes[2][0] <= 68
    rate = next(one.report.rate for _, one in seen if one.report and one.report.rate)
    assert rate == pytest.approx(1.5, rel=0.15)


def test_a_lamp_switched_once_is_no_fault(lesson: Lesson) -> None:
    _, seen = watched(lesson, lambda second: float(int(second / 12) % 2), until=45)
    assert {one.change.state for _, one in seen if one.change} == {"on", "off"}


# --- facts of a camera --------------------------------------------------------------------------


def frame(second: float, lit: float) -> Frame:
    time = START + timedelta(seconds=second)
    return Frame(image(lit, second), 0, second, time, time + timedelta(seconds=1))


def pipeline(
    lesson: Lesson, state: State = STATE, seen: list[Detections] | None = None
) -> CameraPipeline:
    detector = FakeDetector(NAMES, seen or [])
    camera = msgspec.structs.replace(CAMERA, state=(state,))
    return CameraPipeline(camera, detector, ManualClock(START), [TaughtPlace(state, lesson, SHA)])


def play(of: CameraPipeline, lit: Lit, until: float) -> list[Fact]:
    return [fact for n in range(int(until * 2)) for fact in of.process(frame(n / 2, lit(n / 2)))]


def test_an_alarm_state_is_an_episode_with_a_picture(lesson: Lesson) -> None:
    facts = play(pipeline(lesson), lambda second: float(not 19 <= second < 41), until=60)
    assert [type(fact) for fact in facts] == [
        StateFact,
        EpisodeFact,
        StateFact,
        EpisodeFact,
        StateFact,
    ]
    begin, end = [fact for fact in facts if isinstance(fact, EpisodeFact)]
    assert (begin.phase, end.phase) == ("begin", "end")
    assert (begin.scenario.event, begin.scenario.severity, begin.zone) == (
        "lamp-fault",
        "low",
        "lamp-1",
    )
    assert begin.label == end.label == "off"
    assert begin.episode == end.episode
    assert begin.since == end.since == START + timedelta(seconds=20)
    assert (begin.time, begin.dwell) == (START + timedelta(seconds=24), 4.0)
    assert (end.time, end.dwell) == (START + timedelta(seconds=42), 22.0)
    assert begin.confidence > 0.7
    assert isinstance(begin.picture, RedactedPicture)
    assert end.picture is None
    assert begin.model is not None
    assert (begin.model.name, begin.model.version, begin.model.sha256) == (
        "lamp-1",
        "2026-03-02",
        SHA,
    )


def test_what_is_open_ends_with_the_frames(lesson: Lesson) -> None:
    of = pipeline(lesson)
    play(of, lambda _: 0.0, until=10)
    (end,) = of.finish()
    assert isinstance(end, EpisodeFact)
    assert (end.phase, end.time) == ("end", START + timedelta(seconds=9.5))
    assert of.finish() == []


def test_a_person_in_front_is_found_by_the_cameras_own_detector(lesson: Lesson) -> None:
    box = np.array([[0.3, 0.0, 0.7, 1.0]], np.float32)
    someone = Detections(box, np.array([0.9], np.float32), np.array([0]), NAMES)
    bicycle = Detections(box, np.array([0.9], np.float32), np.array([1]), NAMES)
    unsure = Detections(box, np.array([0.12], np.float32), np.array([0]), NAMES)
    for seen, count in ((someone, 0), (bicycle, 1), (unsure, 1)):
        facts = play(pipeline(lesson, seen=[seen] * 30), lambda _: 1.0, until=15)
        assert len(facts) == count


def test_an_alarm_that_was_not_taught_is_refused(lesson: Lesson) -> None:
    state = msgspec.structs.replace(STATE, alarm=("full",))
    with pytest.raises(InputError) as caught:
        Scene([TaughtPlace(state, lesson, SHA)])
    assert "state lamp-1: alarm names 'full'" in str(caught.value)
    assert "It knows: off, on, flickering" in str(caught.value)


def test_a_place_whose_lesson_came_in_the_document_goes_on_as_it_was(lesson: Lesson) -> None:
    state = msgspec.structs.replace(STATE, file=None, taught={"states": []})
    scene = Scene([TaughtPlace(state, lesson, SHA)])
    (before,) = scene._places
    assert scene.change([TaughtPlace(state, lesson, SHA)], START) == []
    assert scene._places == [before]
    assert scene.change([TaughtPlace(state, lesson, "a" * 64)], START) == []
    assert scene._places != [before], "taught anew"


class Full:
    """A disk that takes no telemetry."""

    def put(self, *_: object, **__: object) -> None:
        raise StoreError("disk full")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db", ManualClock(START)) as spool:
        yield spool


def recorder(spool: object) -> Recorder:
    return Recorder(
        CAMERA,
        ManualClock(START),
        address=Address("c001", "b03", "c001-n01"),
        spool=spool,  # type: ignore[arg-type]
        pictures=MemoryEvidence(),
        recorded=lambda _: None,
    )


def test_states_travel_as_readings_and_events(lesson: Lesson, spool: Spool) -> None:
    writes = recorder(spool)
    for fact in play(pipeline(lesson), lambda _: 0.0, until=6):
        writes.record(fact)
    (row,) = spool.page("telemetry", 0, 10)
    assert row.topic == "linli/v1/c001/b03/c001-n01/cam/telemetry/lamp-1"
    message = decode(Topic.parse(row.topic), row.payload).message
    assert isinstance(message, TelemetryMessage)
    readings = message.data.readings
    assert {one.n: (one.v, one.u) for one in readings} == {
        "off": (1.0, "1"),
        "on": (0.0, "1"),
        "flickering": (0.0, "1"),
        "known": (1.0, "1"),
    }
    assert {one.t for one in readings} == {START + timedelta(seconds=4)}
    (event,) = spool.page("events", 0, 10)
    begin = decode(Topic.parse(event.topic), event.payload).message
    assert isinstance(begin, EventMessage)
    assert begin.type == "linli.event.lamp-fault"
    assert begin.subject == "b03/door"
    assert begin.data.model is not None
    assert begin.data.model.sha256 == SHA
    assert (writes.counts.readings, writes.counts.events, writes.counts.pictures) == (1, 1, 1)


def test_that_nobody_can_see_it_is_a_reading_too() -> None:
    report = Report(state=None, states=("empty", "full"), level=None, known=0.0, rate=None)
    data = telemetry_of(StateFact("bin-3", report, START))
    assert [(one.n, one.v) for one in data.readings] == [("known", 0.0)]


def test_a_full_disk_costs_readings_not_the_camera(lesson: Lesson) -> None:
    writes = recorder(Full())
    state = msgspec.structs.replace(STATE, alarm=(), event=None)
    for fact in play(pipeline(lesson, state), lambda second: float(second < 10), until=20):
        writes.record(fact)
    assert (writes.counts.readings, writes.counts.lost_readings) == (0, 2)


def test_a_bin_says_how_full_it_is() -> None:
    examples = {state: places.row(f"teach-{state}")[:6] for state in ("empty", "full")}
    watch = StateWatch(Judge(teach(examples, places.BIN, START).lesson), every=1, dwell=0)
    pictures = [places.row("test-empty")[0]] * 3 + [places.row("test-full")[0]] * 3
    seen = [watch.see(one, None, second) for second, one in enumerate(pictures)]
    reports = [one.report for one in seen if one.report]
    assert [(one.state, one.level) for one in reports] == [("empty", 0.0), ("full", 1.0)]


# --- settings -----------------------------------------------------------------------------------

TOML = """
[node]
site = "c001"
area = "b03"
id = "c001-n07"
[model]
file = "model.onnx"
[[camera]]
id = "cam"
label = "c"
source = "pattern:empty"
[[camera.state]]
id = "bin-3"
file = "bin-3.states.json"
{extra}
"""


def test_the_file_is_looked_for_beside_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(TOML.format(extra="crop = [0.1, 0.2, 0.5, 0.6]"))
    (state,) = load_settings(path).camera[0].state
    assert state.file == str(tmp_path / "bin-3.states.json")
    assert state.crop == (0.1, 0.2, 0.5, 0.6)
    assert (state.every, state.dwell, state.alarm, state.event) == (10.0, 30.0, (), None)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ('alarm = ["full"]', "alarm and event go together"),
        ('event = "bin-full"', "alarm and event go together"),
        ("crop = [0.5, 0.0, 0.5, 1.0]", "crop is left, top, right, bottom"),
        ("every = 0.1", "every"),
        ('[[camera.state]]\nid = "bin-3"\nfile = "b"', "state id 'bin-3' is there twice"),
        ('[[camera.state]]\nid = "camera"\nfile = "b"', "may not be called 'camera'"),
        ("ever = 3", "Did you mean 'every'?"),
    ],
)
def test_bad_settings_say_what_is_wrong(tmp_path: Path, extra: str, words: str) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(TOML.format(extra=extra))
    with pytest.raises(InputError) as caught:
        load_settings(path)
    assert words in str(caught.value)
