"""The guidance point: votes, presence, the page that is served, the player, and nothing kept."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.classify.classes import Classes
from edge.classify.classification import Category, Classification
from edge.classify.classifier import FakeClassifier
from edge.facts import CountFact, Fact
from edge.guide.booth import Booth, Look, Shown, Told, look
from edge.guide.point import BLIND_AFTER, KINDS, GuidePoint
from edge.guide.presence import Presence
from edge.guide.screen import Screen
from edge.guide.voice import CLIPS, PlayerVoice, SilentVoice, voice_of
from edge.source.frame import Frame
from edge.speech import speaker
from linli.clock import ManualClock
from linli.errors import InputError

FOOD, PAPER = Category.FOOD, Category.RECYCLABLE
NOTHING, UNKNOWN = Look(False), Look(True)
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
FPS = 5


def play(*looks: Look) -> tuple[list[Shown], list[Category | None], list[Category | None]]:
    """Return what was shown, said and counted, five looks a second."""
    booth, shown = Booth(), ["idle"]
    said: list[Category | None] = []
    counted: list[Category | None] = []
    for number, seen in enumerate(looks):
        booth, told, items = look(booth, seen, number / FPS)
        said += [one.category for one in told]
        counted += items
        if booth.shown != shown[-1]:
            shown.append(booth.shown)
    return shown, said, counted  # type: ignore[return-value]


def test_an_item_is_answered_once_and_counted_once() -> None:
    shown, said, counted = play(*[Look(True, FOOD)] * 40, *[NOTHING] * 40)
    assert shown == ["idle", "looking", "food", "idle"]
    assert said == counted == [FOOD]


def test_what_is_not_known_is_asked_for_and_not_guessed() -> None:
    torn = [Look(True, FOOD), Look(True, PAPER), UNKNOWN] * 10
    shown, said, counted = play(*torn, *[NOTHING] * 40)
    assert shown == ["idle", "looking", "ask", "idle"]
    assert said == [None]
    assert counted == [None]


def test_an_item_that_is_turned_is_answered_after_all() -> None:
    shown, said, counted = play(*[UNKNOWN] * 25, *[Look(True, PAPER)] * 10, *[NOTHING] * 40)
    assert shown == ["idle", "looking", "ask", "recyclable", "idle"]
    assert said == [None, PAPER]
    assert counted == [PAPER]


def test_a_hand_that_passes_is_no_item() -> None:
    shown, said, counted = play(*[UNKNOWN] * 5, *[NOTHING] * 10)
    assert shown == ["idle", "looking", "idle"]
    assert said == counted == []


def test_four_wrong_looks_of_seven_answer_nothing() -> None:
    _, said, _ = play(*[Look(True, FOOD)] * 4, *[Look(True, PAPER)] * 4)
    assert said == []


def test_the_next_item_is_another_even_when_it_comes_at_once() -> None:
    _, said, counted = play(*[Look(True, FOOD)] * 10, *[NOTHING] * 6, *[Look(True, FOOD)] * 10)
    assert said == counted == [FOOD, FOOD]
    _, said, _ = play(*[Look(True, FOOD)] * 10, *[Look(True, PAPER)] * 10)
    assert said == [FOOD, PAPER]


@given(st.lists(st.builds(Look, st.booleans(), st.none() | st.sampled_from(Category)), max_size=80))
def test_nothing_is_said_without_five_looks_that_saw_it(looks: list[Look]) -> None:
    booth = Booth()
    for number, seen in enumerate(looks):
        booth, told, counted = look(booth, seen, number / FPS)
        for one in told:
            assert one == Told(None) or booth.votes.count(one.category) >= 5
        assert len(counted) <= 1


def place(*, light: int = 90, held: bool = False) -> np.ndarray:
    image = np.full((240, 320, 3), light, np.uint8)
    image[150:] = light // 2
    if held:
        image[60:180, 100:220] = (230, 230, 240)
    return image


def test_an_item_is_present_and_light_is_none() -> None:
    presence = Presence()
    assert not presence.see(place(), 0)
    assert presence.see(place(held=True), 1)
    assert not presence.see(place(), 2)
    for second in range(60):
        assert not presence.see(place(light=90 + second), 3 + second)


def test_what_stays_for_a_minute_belongs_to_the_place() -> None:
    presence = Presence()
    presence.see(place(), 0)
    said = [presence.see(place(held=True), second) for second in range(1, 70)]
    assert said[50]
    assert not said[-1]
    assert presence.see(place(), 71)


@pytest.fixture
def screen() -> Iterator[Screen]:
    with Screen("127.0.0.1", 0) as one:
        yield one


def get(screen: Screen, path: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{screen.port}{path}", timeout=5) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def test_the_page_and_what_is_shown(screen: Screen) -> None:
    status, headers, body = get(screen, "/")
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "请转一转".encode() in body
    assert b"style=" not in body
    assert get(screen, "/guide.css")[0] == get(screen, "/guide.js?1")[0] == 200
    assert json.loads(get(screen, "/state")[2]) == {"shown": "idle"}
    screen.show("food")
    assert json.loads(get(screen, "/state")[2]) == {"shown": "food"}


@pytest.mark.parametrize(
    "path", ["/../point.py", "/%2e%2e/point.py", "//etc/passwd", "/clips", "/x"]
)
def test_no_other_file_is_served(screen: Screen, path: str) -> None:
    assert get(screen, path)[0] == 404


def test_whoever_keeps_connections_open_is_turned_away(screen: Screen) -> None:
    held = [socket.create_connection(("127.0.0.1", screen.port)) for _ in range(12)]
    for one in held[8:]:
        one.settimeout(60)
        with contextlib.suppress(ConnectionError):
            assert one.recv(1) == b""
    for one in held[:8]:
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(1)
    for one in held:
        one.close()


def test_a_port_that_is_taken_is_an_error_that_says_so(screen: Screen) -> None:
    with pytest.raises(InputError, match="cannot listen"), Screen("127.0.0.1", screen.port):
        pass


def test_every_word_has_its_clips() -> None:
    words = {"recyclable", "hazardous", "food", "residual", "ask"}
    assert {one.name for one in CLIPS.iterdir()} == {
        f"{word}.{tongue}.wav" for word in words for tongue in ("zh", "en")
    }


def test_the_player_is_given_one_clip_after_the_other(tmp_path: Path) -> None:
    noted = tmp_path / "played"
    script = f"import sys; open({str(noted)!r}, 'a').write(sys.argv[1] + '\\n')"
    with PlayerVoice((sys.executable, "-c", script), ("zh", "en")) as voice:
        voice.say("food")
        for _ in range(6000):
            voice.go_on()
            if noted.exists() and noted.read_text().count("\n") == 2:
                break
            threading.Event().wait(0.01)
    assert noted.read_text().splitlines() == [str(CLIPS / f"food.{it}.wav") for it in ("zh", "en")]
    assert voice.failed == 0


def test_a_player_that_fails_is_counted_and_stops_nothing() -> None:
    with PlayerVoice(("/nowhere/player",), ("zh",)) as voice:
        voice.say("food")
        voice.say("ask")
    assert voice.failed == 2


def test_a_new_word_takes_the_place_of_the_last() -> None:
    with PlayerVoice((sys.executable, "-c", "import time; time.sleep(30)"), ("zh",)) as voice:
        voice.say("food")
        first = voice._playing
        voice.say("ask")
        assert first is not None
        assert first.returncode is not None
    assert voice._playing is None


def test_a_player_is_found_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker.shutil, "which", lambda name: name if name == "ffplay" else None)
    assert isinstance(voice_of("none", ("zh",)), SilentVoice)
    assert isinstance(voice_of("auto", ("zh",)), PlayerVoice)
    with pytest.raises(InputError, match="aplay"):
        voice_of("aplay", ("zh",))
    monkeypatch.setattr(speaker.shutil, "which", lambda name: None)
    assert isinstance(voice_of("auto", ("zh",)), SilentVoice)


def point(
    script: list[Classification], frames: int = 40
) -> tuple[SilentVoice, GuidePoint, dict[str, int], list[str]]:
    """Play an empty place, an item, the empty place; return voice, point, counts, pages seen."""
    voice, screen = SilentVoice(), Screen("127.0.0.1", 0)
    made = GuidePoint(
        FakeClassifier(Classes(("peel",), {"peel": FOOD}, 0.5), script),
        ManualClock(NOW),
        screen=screen,
        voice=voice,
        crop=(0.1, 0.1, 0.9, 0.9),
    )
    facts: list[Fact] = []
    pages: list[str] = []
    for number in range(frames):
        image = place(held=5 <= number < frames - 10)
        facts += made.process(Frame(image, number, number / FPS, NOW, NOW))
        pages.append(json.loads(get(screen, "/state")[2])["shown"])
    facts += made.finish() + made.idle(60)
    counts = dict.fromkeys(KINDS, 0)
    for fact in facts:
        assert isinstance(fact, CountFact)
        for kind, count in fact.counts.items():
            counts[kind] += count
    return voice, made, counts, pages


def test_an_item_is_shown_said_counted_and_no_picture_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    watched = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if watched and event == "open" else None
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    voice, made, counts, pages = point([Classification("peel", FOOD, 0.9)] * 40)
    watched = False
    assert voice.said == ["food"]
    assert counts == dict.fromkeys(KINDS, 0) | {"food": 1}
    assert (made.counts.frames, made.counts.tracks) == (40, 1)
    assert list(dict.fromkeys(pages)) == ["idle", "looking", "food"]
    assert opened == []
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_item_is_asked_for_and_counted_as_unknown() -> None:
    voice, _, counts, pages = point([], frames=60)
    assert voice.said == ["ask"]
    assert counts["unknown"] == 1
    assert list(dict.fromkeys(pages)) == ["idle", "looking", "ask"]


def test_a_camera_that_stalls_leaves_no_answer_for_the_next_one() -> None:
    made = GuidePoint(
        FakeClassifier(
            Classes(("peel",), {"peel": FOOD}, 0.5), [Classification("peel", FOOD, 0.9)] * 40
        ),
        ManualClock(NOW),
        screen=(page := Screen("127.0.0.1", 0)),
        voice=SilentVoice(),
        crop=(0.1, 0.1, 0.9, 0.9),
    )
    for number in range(30):
        made.process(Frame(place(held=number >= 5), number, number / FPS, NOW, NOW))
    shown = [json.loads(page.state())["shown"]]
    for seconds in (BLIND_AFTER - 1, BLIND_AFTER):
        made.idle(seconds)
        shown.append(json.loads(page.state())["shown"])
    made.process(Frame(place(), 30, 60.0, NOW, NOW))
    shown.append(json.loads(page.state())["shown"])
    made.finish()
    assert shown == ["food", "food", "away", "idle"]


def test_a_page_that_cannot_be_served_is_an_error_of_this_camera(screen: Screen) -> None:
    made = GuidePoint(
        FakeClassifier(Classes(("peel",), {"peel": FOOD}, 0.5)),
        ManualClock(NOW),
        screen=Screen("127.0.0.1", screen.port),
        voice=SilentVoice(),
        crop=(0, 0, 1, 1),
    )
    with pytest.raises(InputError, match="cannot listen"):
        made.process(Frame(place(), 0, 0, NOW, NOW))
    assert made.finish() == []
