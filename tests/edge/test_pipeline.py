from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import msgspec
import numpy as np
import pytest
import vision
from beside import SHARED, needs_shared

from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector, load_detector
from edge.facts import CountFact, EpisodeFact, Fact, TrialFact
from edge.pipeline import TRIAL_EVERY, CameraPipeline
from edge.redact import RedactedPicture
from edge.settings import Camera, Line, Scenario, Zone
from edge.source.file import FileSource
from edge.source.frame import Frame, Image
from linli.clock import ManualClock
from linli.errors import InputError
from linli.hours import Window

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = ("person", "bicycle")
MIDDLE = Zone(id="middle", points=vision.ZONE)
DWELL = Scenario(event="zone-dwell", labels=("person",), zone="middle")
CAMERA = Camera(id="cam1", label="c", source="clip.mp4", zone=(MIDDLE,), scenario=(DWELL,))
Row = tuple[float, float, float, float, float, int]
HERE: Row = (0.45, 0.2, 0.55, 0.8, 0.9, 0)


def detections(*rows: Row, names: tuple[str, ...] = NAMES) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), names)


def frame(media: float, *, jump: float = 0.0, image: object = None) -> Frame:
    time = START + timedelta(seconds=media + jump)
    picture = np.full((120, 200, 3), 90, np.uint8) if image is None else image
    return Frame(picture, 0, media, time, time + timedelta(seconds=1))  # type: ignore[arg-type]


def play(
    script: list[list[Row]], camera: Camera = CAMERA, step: float = 0.5
) -> tuple[CameraPipeline, list[EpisodeFact]]:
    seen = [detections(*rows) for rows in script]
    pipeline = CameraPipeline(camera, FakeDetector(NAMES, seen), ManualClock(START))
    facts = [fact for n in range(len(seen)) for fact in pipeline.process(frame(n * step))]
    return pipeline, facts


def test_a_stay_begins_and_ends_with_all_that_the_event_needs() -> None:
    pipeline, (begin, end) = play([[]] * 2 + [[HERE]] * 8 + [[]] * 6)
    assert (begin.phase, end.phase) == ("begin", "end")
    assert begin.episode == end.episode
    assert begin.episode[14] == "7"
    assert (begin.scenario, begin.zone, begin.label) == (DWELL, "middle", "person")
    assert begin.since == end.since == START + timedelta(seconds=1)
    assert begin.time == START + timedelta(seconds=3)
    assert begin.captured == START + timedelta(seconds=4)
    assert (begin.dwell, end.dwell) == (2.0, 3.5)
    assert end.time == START + timedelta(seconds=4.5)
    assert end.captured == START + timedelta(seconds=7.5)
    assert begin.confidence == pytest.approx(0.9)
    assert begin.track is not None
    assert (begin.track.frames, begin.track.first) == (5, begin.since)
    assert begin.track.bbox == pytest.approx(HERE[:4])
    assert isinstance(begin.picture, RedactedPicture)
    assert begin.picture.redaction == "heads"
    assert (end.track, end.picture) == (None, None)
    counts = pipeline.counts
    assert (counts.frames, counts.detections, counts.tracks) == (16, 8, 1)


@pytest.mark.parametrize(("away", "size"), [(False, (240, 400)), (True, (120, 200))])
def test_the_picture_is_from_the_main_stream_at_the_frames_own_moment(
    away: bool, size: tuple[int, int]
) -> None:
    pipeline = CameraPipeline(
        CAMERA, FakeDetector(NAMES, [detections(HERE)] * 9), ManualClock(START)
    )
    asked: list[float] = []
    fine = np.full((240, 400, 3), 90, np.uint8)

    def finer(moment: float) -> Image | None:
        asked.append(moment)
        return None if away else fine

    begun = [
        fact
        for number in range(8)
        for fact in pipeline.process(
            replace(frame(number * 0.5), finer=partial(finer, number * 0.5))
        )
        if isinstance(fact, EpisodeFact)
    ]
    assert len(begun) == 1
    assert isinstance(begun[0].picture, RedactedPicture)
    shown = cv2.imdecode(np.frombuffer(begun[0].picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[:2] == size
    assert asked == [(begun[0].time - START).total_seconds()]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([[]] * 20, id="nobody"),
        pytest.param([[HERE]] * 4, id="too short"),
        pytest.param([[(0.05, 0.2, 0.15, 0.8, 0.9, 0)]] * 20, id="outside the zone"),
        pytest.param([[(*HERE[:5], 1)]] * 20, id="of another kind"),
        pytest.param([[(*HERE[:4], 0.2, 0)]] * 20, id="never sure"),
    ],
)
def test_what_is_no_event(script: list[list[Row]]) -> None:
    pipeline, facts = play(script)
    assert facts == []
    assert pipeline.finish() == []


@pytest.mark.parametrize(
    ("asked", "score", "begins"),
    [
        (None, 0.55, False),  # the model's own threshold
        (None, 0.65, True),
        (0.5, 0.55, True),  # a user's own setting goes before it, both ways
        (0.7, 0.65, False),
    ],
)
def test_a_class_counts_from_the_models_threshold_or_the_users(
    asked: float | None, score: float, begins: bool
) -> None:
    rule = msgspec.structs.replace(DWELL, labels=("bicycle", "person"), score=asked)
    camera = msgspec.structs.replace(CAMERA, scenario=(rule,))
    seen = [detections((*HERE[:4], score, 1))] * 10
    detector = FakeDetector(NAMES, seen, {"bicycle": 0.6})
    pipeline = CameraPipeline(camera, detector, ManualClock(START))
    facts = [fact for n in range(10) for fact in pipeline.process(frame(n * 0.5))]
    assert bool(facts) is begins
    assert pipeline.counts.detections == (10 if begins else 0)


def test_each_scenario_has_its_own_score_and_people_count_by_the_models() -> None:
    surer = msgspec.structs.replace(DWELL, event="sure-dwell", score=0.8)
    camera = msgspec.structs.replace(
        CAMERA, scenario=(msgspec.structs.replace(DWELL, score=0.5), surer)
    )
    seen = [detections((*HERE[:4], 0.6, 0))] * 10
    pipeline = CameraPipeline(camera, FakeDetector(NAMES, seen), ManualClock(START))
    facts = [fact for n in range(10) for fact in pipeline.process(frame(n * 0.5))]
    assert [fact.scenario.event for fact in facts] == ["zone-dwell"]
    about_bicycles = msgspec.structs.replace(
        CAMERA, scenario=(msgspec.structs.replace(DWELL, labels=("bicycle",), score=0.9),)
    )
    pipeline = CameraPipeline(
        about_bicycles, FakeDetector(NAMES, seen[:1], {"person": 0.55}), ManualClock(START)
    )
    pipeline.process(frame(0))
    assert pipeline.people == 1


def test_the_end_of_the_video_ends_what_is_going_on() -> None:
    pipeline, (begin,) = play([[HERE]] * 8)
    assert pipeline.people == 1
    (end,) = pipeline.finish()
    assert (end.phase, end.episode, end.dwell) == ("end", begin.episode, 3.5)
    assert end.captured == START
    assert pipeline.finish() == []


def test_slow_looks_and_a_stall_are_one_episode_with_the_time_it_took() -> None:
    looks = [0, 2.5, 5, 7.5, 16, 18.5, 21]
    seen = [detections(HERE)] * 6 + [detections()]
    pipeline = CameraPipeline(CAMERA, FakeDetector(NAMES, seen), ManualClock(START))
    begin, end = [fact for media in looks for fact in pipeline.process(frame(media))]
    assert (begin.since, begin.time) == (START, START + timedelta(seconds=5))
    assert begin.dwell == 4.0  # two gaps, each counted as `gone_after`
    assert (end.since, end.time) == (START, START + timedelta(seconds=18.5))
    assert end.dwell == 10.0
    assert pipeline.counts.tracks == 1


def test_a_camera_away_for_long_ends_what_was_going_on() -> None:
    pipeline, (begin,) = play([[HERE]] * 8)
    assert pipeline.idle(9.9) == []
    (end,) = pipeline.idle(10.1)
    assert (end.phase, end.episode) == ("end", begin.episode)
    assert end.time == START + timedelta(seconds=3.5)
    assert pipeline.idle(99) == pipeline.finish() == []


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_corrected_clock_turns_no_time_over(jump: float) -> None:
    seen = [detections(HERE)] * 8 + [detections()] * 6
    pipeline = CameraPipeline(CAMERA, FakeDetector(NAMES, seen), ManualClock(START))
    facts = []
    for n in range(14):
        facts += pipeline.process(frame(n / 2, jump=jump if n >= 6 else 0.0))
    begin, end = facts
    assert begin.time - begin.since == timedelta(seconds=2)
    assert end.since == begin.since
    assert end.time - end.since == timedelta(seconds=3.5)


def test_two_scenarios_watch_one_zone_each_for_its_own_kind() -> None:
    bicycle = msgspec.structs.replace(DWELL, event="bicycle-dwell", labels=("bicycle",), dwell=0.5)
    camera = msgspec.structs.replace(CAMERA, scenario=(DWELL, bicycle))
    _, facts = play([[(*HERE[:5], 1)]] * 6, camera)
    assert [(fact.scenario.event, fact.label, fact.dwell) for fact in facts] == [
        ("bicycle-dwell", "bicycle", 1.0)
    ]


def test_without_a_class_for_people_the_picture_is_withheld() -> None:
    names = ("bicycle",)
    camera = msgspec.structs.replace(
        CAMERA, scenario=(msgspec.structs.replace(DWELL, labels=("bicycle",)),)
    )
    seen = [detections(HERE, names=names)] * 8
    pipeline = CameraPipeline(camera, FakeDetector(names, seen), ManualClock(START))
    (begin,) = [fact for n in range(8) for fact in pipeline.process(frame(n / 2))]
    assert isinstance(begin, EpisodeFact)
    assert begin.picture == "blind"


def test_a_door_and_a_voice_do_not_wait_for_the_picture() -> None:
    rule = msgspec.structs.replace(DWELL, door="lift-1", speaker="horn", say="ebike-out")
    camera = msgspec.structs.replace(CAMERA, scenario=(rule,))
    told: list[str] = []

    class Noting(FakeDetector):
        def detect(self, image: Image) -> Detections:
            told.append("look")
            return super().detect(image)

    seen = [detections(HERE)] * 40
    pipeline = CameraPipeline(
        camera,
        Noting(NAMES, seen),
        ManualClock(START),
        act=lambda act: told.append(type(act).__name__),
    )
    for number in range(20):
        told.clear()
        facts = pipeline.process(frame(number / 2))
        if facts:
            break
    (begin,) = facts
    assert isinstance(begin, EpisodeFact)
    assert isinstance(begin.picture, RedactedPicture)
    assert told == ["look", "DoorFact", "PromptFact", *["look"] * 4]


def detail_at_top(fact: EpisodeFact, x1: float, x2: float) -> float:
    assert isinstance(fact.picture, RedactedPicture)
    image = cv2.imdecode(np.frombuffer(fact.picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    part = image[48:80, round(x1 * 400) : round(x2 * 400)].astype(np.int16)
    return float(np.abs(np.diff(part, axis=1)).mean())


def test_people_seen_badly_or_just_before_are_redacted_too() -> None:
    image = np.random.default_rng(1).integers(0, 256, (240, 400, 3), np.uint8)
    unsure: Row = (0.05, 0.2, 0.15, 0.8, 0.12, 0)
    before: Row = (0.8, 0.2, 0.9, 0.8, 0.5, 0)
    script = [[HERE]] * 3 + [[HERE, before], [HERE, unsure]]
    seen = [detections(*rows) for rows in script]
    pipeline = CameraPipeline(CAMERA, FakeDetector(NAMES, seen), ManualClock(START))
    (begin,) = [fact for n in range(5) for fact in pipeline.process(frame(n / 2, image=image))]
    assert detail_at_top(begin, 0.46, 0.54) < 3
    assert detail_at_top(begin, 0.06, 0.14) < 3
    assert detail_at_top(begin, 0.81, 0.89) < 3
    assert detail_at_top(begin, 0.25, 0.35) > 40


def test_a_label_that_the_model_does_not_know_is_refused() -> None:
    camera = msgspec.structs.replace(
        CAMERA, scenario=(msgspec.structs.replace(DWELL, labels=("person", "ebike")),)
    )
    with pytest.raises(InputError) as caught:
        CameraPipeline(camera, FakeDetector(NAMES), ManualClock(START))
    assert "knows no ebike" in str(caught.value)
    assert "It knows: person, bicycle" in str(caught.value)


def run(pipeline: CameraPipeline, source: FileSource) -> Iterator[EpisodeFact]:
    with source:
        while source.state not in {"ended", "failed"}:
            taken = source.read(1)
            if taken is not None:
                yield from pipeline.process(taken)
    yield from pipeline.finish()


@pytest.fixture(scope="module")
def square_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.bright_square_model(tmp_path_factory.mktemp("model") / "square.onnx")


def test_a_real_model_on_a_real_video_gives_one_episode(square_model: Path, tmp_path: Path) -> None:
    clock = ManualClock(START)
    clip = vision.square_clip(tmp_path / "clip.mp4", seconds=10, enters=2, leaves=6)
    pipeline = CameraPipeline(CAMERA, load_detector(square_model), clock)
    source = FileSource(clip, fps=5, speed="max", clock=clock, wait=clock.advance)
    begin, end = run(pipeline, source)
    assert (begin.phase, end.phase) == ("begin", "end")
    assert (begin.since - START).total_seconds() == pytest.approx(2, abs=0.4)
    assert (begin.time - START).total_seconds() == pytest.approx(4, abs=0.4)
    assert (end.time - START).total_seconds() == pytest.approx(6, abs=0.4)
    assert pipeline.counts.frames == 50
    assert pipeline.counts.tracks == 1


def test_a_real_model_on_an_empty_video_gives_nothing(square_model: Path, tmp_path: Path) -> None:
    clock = ManualClock(START)
    clip = vision.empty_clip(tmp_path / "clip.mp4")
    pipeline = CameraPipeline(CAMERA, load_detector(square_model), clock)
    source = FileSource(clip, fps=5, speed="max", clock=clock)
    assert list(run(pipeline, source)) == []
    assert (pipeline.counts.frames, pipeline.counts.detections) == (20, 0)


@pytest.mark.shared
@needs_shared("media")
def test_real_people_one_after_the_other_are_one_episode_each() -> None:
    clock = ManualClock(START)
    zone = Zone(id="middle", points=((0.1, 0.1), (0.9, 0.1), (0.9, 1), (0.1, 1)))
    camera = msgspec.structs.replace(CAMERA, zone=(zone,), fps=2.0)
    pipeline = CameraPipeline(camera, load_detector(SHARED / "models/yolox_nano.onnx"), clock)
    path = SHARED / "media/one-by-one-person.mp4"
    facts = list(run(pipeline, FileSource(path, fps=2, speed="max", clock=clock)))
    assert [fact.phase for fact in facts] == ["begin", "end"] * 6
    assert all(fact.dwell >= 2 for fact in facts)
    assert all(isinstance(fact.picture, RedactedPicture) for fact in facts if fact.phase == "begin")
    assert pipeline.counts.tracks == 6


def place(x: float, kind: int = 0, score: float = 0.9) -> Row:
    return (x - 0.04, 0.2, x + 0.04, 0.8, score, kind)


def rule(**changes: object) -> Camera:
    scenario = msgspec.structs.replace(DWELL, **changes)
    return msgspec.structs.replace(CAMERA, scenario=(scenario,))


@pytest.mark.parametrize(
    ("script", "begins"),
    [
        pytest.param([[place(0.4), place(0.5), place(0.6)]] * 10, True, id="three"),
        pytest.param([[place(0.4), place(0.5)]] * 10, False, id="two"),
        pytest.param(
            [[place(0.4), place(0.5), place(0.6, score=0.2)]] * 10, False, id="two and a guess"
        ),
        pytest.param([[place(0.4), place(0.5), place(0.05)]] * 10, False, id="one outside"),
        pytest.param([[place(0.4), place(0.5), place(0.6)]] * 3, False, id="too short"),
    ],
)
def test_a_crowd_is_so_many_at_once(script: list[list[Row]], begins: bool) -> None:
    facts = play(script, rule(event="crowd", at_least=3))[1]
    assert [fact.phase for fact in facts] == (["begin"] if begins else [])
    if begins:
        assert (facts[0].label, facts[0].track, facts[0].dwell) == ("person", None, 2.0)


def test_a_crowd_ends_when_it_is_no_crowd() -> None:
    crowd = [place(0.4), place(0.5), place(0.6)]
    begin, end = play([crowd] * 6 + [crowd[:2]] * 8, rule(event="crowd", at_least=3))[1]
    assert (begin.phase, end.phase, end.dwell) == ("begin", "end", 2.5)


@pytest.mark.parametrize(
    ("begin", "end", "begins"), [("15:00", "17:00", True), ("17:00", "15:00", False)]
)
def test_a_scenario_counts_in_its_hours_by_the_clock_on_the_wall(
    begin: str, end: str, begins: bool
) -> None:
    camera = rule(during=(Window(begin=begin, end=end),))  # 08:00 UTC is 16:00 in Shanghai
    detector = FakeDetector(NAMES, [detections(HERE)] * 10)
    pipeline = CameraPipeline(camera, detector, ManualClock(START), zone=ZoneInfo("Asia/Shanghai"))
    facts = [fact for n in range(10) for fact in pipeline.process(frame(n * 0.5))]
    assert bool(facts) is begins


def test_in_shadow_it_is_counted_and_pictured_now_and_then() -> None:
    camera = rule(shadow=True, cooldown=0.0)
    once = [detections(HERE)] * 10 + [detections()] * 6
    detector = FakeDetector(NAMES, once * 3)
    pipeline = CameraPipeline(camera, detector, ManualClock(START))
    facts = [fact for n in range(32) for fact in pipeline.process(frame(n * 0.5))]
    counted = [fact for fact in facts if isinstance(fact, CountFact)]
    at = START + timedelta(seconds=2)
    assert counted[0] == CountFact("shadow", {"zone-dwell": 1}, at)
    assert len(counted) == pipeline.counts.shadows == 2
    (pictured,) = [fact for fact in facts if isinstance(fact, TrialFact)]
    assert (pictured.event, pictured.zone, pictured.time) == ("zone-dwell", "middle", at)
    assert isinstance(pictured.picture, RedactedPicture)
    assert len(facts) == 3
    pipeline.change(msgspec.structs.replace(camera, label="other"))
    later = [fact for n in range(16) for fact in pipeline.process(frame(TRIAL_EVERY - 2 + n * 0.5))]
    assert sum(isinstance(fact, TrialFact) for fact in later) == 0, "not ten minutes yet"
    assert pipeline.finish() == []


def test_what_is_off_keeps_its_settings_and_does_not_look() -> None:
    camera = rule(off=True)
    detector = FakeDetector(NAMES, [detections(HERE)] * 10)
    pipeline = CameraPipeline(camera, detector, ManualClock(START))
    assert [fact for n in range(10) for fact in pipeline.process(frame(n * 0.5))] == []
    assert len(camera.scenario) == 1


def test_lines_count_their_kinds_alone() -> None:
    line = Line(id="gate", points=((0.5, 1.0), (0.5, 0.0)))
    camera = msgspec.structs.replace(CAMERA, scenario=(), line=(line,))
    steps = [0.3, 0.4, 0.48, 0.56, 0.64]
    script = [detections(place(x), place(x + 0.2, kind=1)) for x in steps]
    pipeline = CameraPipeline(camera, FakeDetector(NAMES, script), ManualClock(START))
    assert [fact for n in range(5) for fact in pipeline.process(frame(n * 0.5))] == []
    assert pipeline.finish() == [CountFact("gate", {"in": 1, "out": 0, "occupancy": 1}, START)]


def changing(*cameras: Camera) -> tuple[list[EpisodeFact], CameraPipeline]:
    """Somebody stays for five frames with each of the settings, one after the other."""
    seen = FakeDetector(NAMES, [detections(HERE)] * 5 * len(cameras))
    pipeline = CameraPipeline(cameras[0], seen, ManualClock(START))
    facts: list[Fact] = []
    for number, camera in enumerate(cameras):
        facts += pipeline.change(camera) if number else []
        for n in range(5):
            facts += pipeline.process(frame((number * 5 + n) * 0.5))
    return [fact for fact in facts if isinstance(fact, EpisodeFact)], pipeline


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": "high"},
        {"dwell": 60.0},
        {"gone_after": 60.0},
        {"score": 0.5},
        {"votes": 1, "of": 2, "cooldown": 0.0},
        {"labels": ("person", "bicycle")},
    ],
)
def test_what_goes_on_goes_on_under_other_settings_of_its_scenario(changes: object) -> None:
    (begin,), pipeline = changing(CAMERA, rule(**changes))  # type: ignore[arg-type]
    (end,) = pipeline.finish()
    assert isinstance(end, EpisodeFact)
    assert (begin.phase, end.phase, end.episode) == ("begin", "end", begin.episode)
    assert pipeline.counts.frames == 10


def test_what_is_watched_no_more_ends_and_what_is_new_begins() -> None:
    begin, end, other = changing(CAMERA, rule(event="loitering", dwell=0.5))[0]
    assert (begin.phase, end.phase, end.episode) == ("begin", "end", begin.episode)
    assert (other.phase, other.scenario.event) == ("begin", "loitering")
    facts, pipeline = changing(CAMERA, rule(shadow=True))
    assert [fact.phase for fact in facts] == ["begin", "end"]
    assert pipeline.finish() == []


def test_another_zone_of_the_same_name_is_watched_at_once() -> None:
    corner = Zone(id="middle", points=((0, 0), (0.1, 0), (0.1, 0.1)), anchor="center")
    moved = msgspec.structs.replace(CAMERA, zone=(corner,))
    facts, _ = changing(CAMERA, moved, moved)
    assert [fact.phase for fact in facts] == ["begin", "end"]


def test_settings_that_cannot_be_change_nothing() -> None:
    pipeline, (begin,) = play([[HERE]] * 5)
    with pytest.raises(InputError, match="dragon"):
        pipeline.change(rule(labels=("dragon",)))
    (end,) = pipeline.finish()
    assert isinstance(end, EpisodeFact)
    assert end.episode == begin.episode


def test_a_line_that_stays_counts_on_and_one_that_goes_reports() -> None:
    line = Line(id="gate", points=((0.5, 1.0), (0.5, 0.0)))
    camera = msgspec.structs.replace(CAMERA, scenario=(), line=(line,))
    script = [detections(place(x)) for x in (0.3, 0.4, 0.48, 0.56, 0.64)]
    pipeline = CameraPipeline(camera, FakeDetector(NAMES, script), ManualClock(START))
    for n in range(5):
        pipeline.process(frame(n * 0.5))
    assert pipeline.change(msgspec.structs.replace(camera, label="other")) == []
    gone = pipeline.change(msgspec.structs.replace(camera, line=()))
    assert gone == [CountFact("gate", {"in": 1, "out": 0, "occupancy": 1}, START)]
