"""Teaching a bin and a lamp, on rendered and drawn pictures, and what is said of others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import places
import pytest

from edge.states.features import SIZE, features, patch_of
from edge.states.judge import Judge, hidden
from edge.states.lesson import Lesson, load, save
from edge.states.teach import Taught, advice, teach
from linli.errors import InputError

MADE = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def taught() -> Taught:
    return teach(places.bins("teach"), places.BIN, MADE)


@pytest.fixture(scope="module")
def judge(taught: Taught) -> Judge:
    return Judge(taught.lesson)


@pytest.fixture(scope="module")
def lamp() -> Judge:
    return Judge(teach(places.lamps(), places.LAMP, MADE).lesson)


def test_other_light_and_other_rubbish_are_the_same_state(judge: Judge) -> None:
    answers = [
        (state, judge.answer(image))
        for state, images in places.bins("test").items()
        for image in images
    ]
    known = [(state, answer.state) for state, answer in answers if answer.state]
    assert all(state == said for state, said in known)
    assert len(known) >= 0.7 * len(answers)
    assert {state for state, _ in known} == set(places.STATES)


def test_nearest_mean_grey_could_not_tell(judge: Judge) -> None:
    """The light moves more than the state: brightness alone gets half of these pictures wrong."""
    means = {
        state: np.mean([image.mean() for image in images])
        for state, images in places.bins("teach").items()
    }
    right = [
        min(means, key=lambda one: abs(means[one] - image.mean())) == state
        for state, images in places.bins("test").items()
        for image in images
    ]
    assert np.mean(right) < 0.6


def test_dark_is_unknown(judge: Judge) -> None:
    answers = [judge.answer(image) for image in places.row("test-dark")]
    assert [(one.state, one.why) for one in answers] == [(None, "dark")] * len(answers)


def test_something_in_front_is_unknown(judge: Judge) -> None:
    rng = np.random.default_rng(0)
    for images in places.bins("test").values():
        covered = images[0].copy()
        coat = rng.integers(0, 255, (8, 4, 3), np.uint8)
        covered[:, 25:60] = cv2.resize(coat, (35, 88), interpolation=cv2.INTER_NEAREST)
        answer = judge.answer(covered)
        assert (answer.state, answer.why) in {(None, "strange"), (None, "moved")}


def test_a_person_found_by_the_detector_is_unknown(judge: Judge) -> None:
    image = places.row("test-empty")[0]
    beside, before = np.array([[0.0, 0.0, 0.1, 1.0]]), np.array([[0.4, 0.3, 0.7, 1.0]])
    assert judge.answer(image, beside).state == "empty"
    assert judge.answer(image, np.empty((0, 4))).state == "empty"
    assert judge.answer(image, np.concatenate((beside, before))).why == "person"
    assert hidden((0.0, 0.0, 0.5, 0.5), np.array([[0.25, 0.0, 1.0, 1.0]])) == pytest.approx(0.5)


def test_a_camera_that_moved_is_unknown(judge: Judge) -> None:
    image = places.row("test-empty")[0]
    shift = np.float32([[1, 0, 12], [0, 1, 0]])
    moved = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    answer = judge.answer(moved)
    assert (answer.state, answer.why) == (None, "moved")
    there = tuple(np.array(places.BIN) + np.array([12 / 88, 0, 12 / 88, 0]))
    assert Judge(judge.lesson, there).answer(moved).state == "empty"  # type: ignore[arg-type]


def test_a_lamp_is_on_or_off_at_any_hour(lamp: Judge) -> None:
    for seed, day in enumerate((0.02, 0.3, 0.55, 0.8)):
        on = lamp.answer(places.lamp(lit=1, day=day, seed=seed))
        off = lamp.answer(places.lamp(lit=0, day=day, seed=seed))
        assert (on.state, off.state) == ("on", "off")
        assert on.lit is not None
        assert off.lit is not None
        assert off.lit < 0.35 < 0.65 < on.lit


def test_the_dark_is_off_when_it_was_taught_so(lamp: Judge) -> None:
    night = [places.lamp(lit=0, day=-0.06, seed=number) for number in range(3)]
    assert lamp.answer(night[2]).why == "dark"
    examples = places.lamps()
    examples["off"] += night[:2]
    taught = Judge(teach(examples, places.LAMP, MADE).lesson)
    assert taught.answer(night[2]).state == "off"
    assert taught.answer(places.lamp(lit=1, day=-0.06)).state == "on"


def test_features_feel_neither_exposure_nor_a_coloured_lamp() -> None:
    image = places.row("test-full")[0].astype(np.float32)
    plain = features(patch_of(image.astype(np.uint8), places.BIN))  # type: ignore[arg-type]
    tinted = (image * np.array([0.5, 0.6, 0.65])).astype(np.uint8)
    other = features(patch_of(places.row("test-empty")[0], places.BIN))  # type: ignore[arg-type]
    lit = features(patch_of(tinted, places.BIN))  # type: ignore[arg-type]
    assert plain.shape == (SIZE,)
    assert np.abs(lit - plain).mean() < 0.25 * np.abs(other - plain).mean()


def test_each_state_says_how_well_it_is_known(taught: Taught) -> None:
    lesson = taught.lesson
    assert lesson.names == places.STATES
    assert [one.pictures for one in lesson.states] == [8] * 4
    assert all(sum(one.taken_for.values()) == one.pictures for one in lesson.states)
    assert all(0.5 <= one.known <= 1 for one in lesson.states)
    assert not any("only" in words for _, words in advice(lesson))
    mixed = [words for state, words in advice(lesson) if "alike" in words]
    assert len(mixed) == sum(len(one.taken_for) - 1 for one in lesson.states)


def test_a_picture_of_something_else_is_pointed_out() -> None:
    examples = places.lamps()
    examples["off"][2] = cv2.resize(places.row("test-full")[0], (80, 60))  # type: ignore[call-overload]
    assert teach(examples, places.LAMP, MADE).odd == (("off", 2),)


def test_the_same_pictures_give_the_same_file(tmp_path: Path) -> None:
    examples = places.lamps(3)
    steps: list[tuple[int, int]] = []
    one = teach(examples, places.LAMP, MADE, lambda done, total: steps.append((done, total)))
    two = teach(examples, places.LAMP, MADE)
    save(one.lesson, tmp_path / "a.json")
    save(two.lesson, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert steps == [(done, 12) for done in range(1, 13)]
    assert any("only 3 pictures" in words for _, words in advice(one.lesson))


def test_a_lesson_is_read_back_small_and_whole(
    taught: Taught, judge: Judge, tmp_path: Path
) -> None:
    path = tmp_path / "bin.states.json"
    save(taught.lesson, path)
    lesson, sha256 = load(path)
    assert path.stat().st_size < 100_000
    assert len(sha256) == 64
    assert lesson == taught.lesson
    image = places.row("test-half")[0]
    assert Judge(lesson).answer(image) == judge.answer(image)
    assert [path.name for path in tmp_path.iterdir()] == ["bin.states.json"]


Change = dict[str, Any]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "linli-states/2"}, "linli-states/2"),
        ({"crop": [0.5, 0, 0.5, 1]}, "a crop is left, top, right, bottom"),
        ({"crop": [0, 0, 1, 2]}, "$.crop"),
        ({"means": ""}, "means must hold 864 numbers, has 0 bytes"),
        ({"scale": "AADAfw=="}, "scale must hold 432 numbers"),
        ({"spread": "AADAfw=="}, "axes must hold 432 numbers"),
        ({"spread": ""}, "spread must hold 1 to 24 numbers, not 0"),
        ({"temperature": 0}, "$.temperature"),
        ({"states": []}, "$.states"),
        ({"pickle": "x"}, "unknown field `pickle`"),
    ],
)
def test_a_broken_file_is_refused(lamp: Judge, tmp_path: Path, change: Change, words: str) -> None:
    document = msgspec.json.decode(msgspec.json.encode(lamp.lesson))
    path = tmp_path / "lamp.json"
    path.write_bytes(msgspec.json.encode({**document, **change}))
    with pytest.raises(InputError) as caught:
        load(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_numbers_that_are_none_are_refused(lamp: Judge) -> None:
    means = np.full(len(lamp.lesson.means) // 4, np.nan, "<f4").tobytes()
    with pytest.raises(ValueError, match="means holds numbers that are none"):
        msgspec.structs.replace(lamp.lesson, means=means)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"[" * 100_000, b" " * 1_100_000])
def test_what_is_no_lesson_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bin.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="linli states teach"):
        load(path)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.json")


PICTURE = places.lamp(lit=0, day=0.5)


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        ({"off": [PICTURE] * 2}, "teach 2 to 12 states, not 1"),
        ({"off": [PICTURE] * 2, "on": [PICTURE]}, "on: 1 picture; at least 2"),
        ({"off": [PICTURE] * 2, "On": [PICTURE] * 2}, "not 'On'"),
        ({"off": [PICTURE] * 2, "known": [PICTURE] * 2}, "known: a reading has this name"),
        ({"off": [PICTURE] * 2, "flickering": [PICTURE] * 2}, "Teach on and off"),
        ({"off": [PICTURE] * 2, "on": [PICTURE[:0]] * 2}, "the place has 24 x 0 pixels"),
    ],
)
def test_what_cannot_be_taught_is_refused(
    examples: dict[str, list[places.Image]], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        teach(examples, places.LAMP, MADE)
    assert words in str(caught.value)


def test_pictures_all_alike_are_taught_without_falling() -> None:
    examples = {"off": [PICTURE] * 2, "on": [places.lamp(lit=1, day=0.5)] * 2}
    lesson: Lesson = teach(examples, (0.0, 0.0, 1.0, 1.0), MADE).lesson
    assert Judge(lesson).answer(PICTURE).state == "off"


def test_people_close_by_make_no_answer_wrong(judge: Judge) -> None:
    truths = ("half", "half", "empty", "empty")
    for truth, image in zip(truths, places.row("test-people"), strict=True):
        assert judge.answer(image).state in {truth, None}
