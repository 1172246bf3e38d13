"""Sentences said aloud: when again, by what, for scenarios and for staff."""

from __future__ import annotations

import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from quick_ingest import NODE, QuickIngest
from vision import ZONE, bright_square_model, square_clip

from dashboards.web.commands import PROMPTS as WORDS
from edge.agent import Agent
from edge.agent.speakers import LATE, SpeakerHand
from edge.sensors.happening import Happening
from edge.settings import Camera, EdgeSettings, Model, Scenario, Zone
from edge.speech import speaker as speakers
from edge.speech.manner import OVER, Said, Terms, spoken, wanted
from edge.speech.speaker import (
    CLIPS,
    LONGEST,
    FakeSpeaker,
    NoSpeaker,
    PlayerSpeaker,
    Speaker,
    player_of,
    speaker_of,
)
from linli.clock import ManualClock, SystemClock
from linli.edge_config import EdgeConfig
from linli.errors import InputError, LinkError
from linli.process import StopSignal
from linli.settings import convert
from linli.speaker_config import PROMPTS, Prompt, Tongue
from linli.speaker_config import Speaker as SpeakerSettings

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
CONFIG = SpeakerSettings(id="voice-1", label="轿厢喇叭", pause=6.0, most=3)
WRITES = "import sys; open({log!r}, 'a').write(sys.argv[1].rpartition('/')[2] + '\\n')"
SLEEPS = "import time; time.sleep(60)"


def player(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code)


@dataclass
class Rig:
    """A speaker, what was heard of it, and how to take it away and bring it back."""

    speaker: Speaker
    heard: Callable[[], list[str]]
    away: Callable[[], None]
    back: Callable[[], None]


def _fake(folder: Path) -> Iterator[Rig]:
    one = FakeSpeaker()

    def away(*, gone: bool) -> None:
        one.away = gone

    yield Rig(
        one,
        lambda: [f"{prompt}.{tongue}.wav" for prompt, tongue in one.said],
        lambda: away(gone=True),
        lambda: away(gone=False),
    )


def _player(folder: Path) -> Iterator[Rig]:
    log = folder / "heard"
    log.write_text("")
    program = folder / "player"

    def write(code: str) -> None:
        program.write_text(f"#!{sys.executable}\n{code}")
        program.chmod(0o755)

    works = WRITES.format(log=str(log))
    write(works)
    yield Rig(
        PlayerSpeaker((str(program),), longest=60.0),
        lambda: log.read_text().split(),
        lambda: write("raise SystemExit(3)"),
        lambda: write(works),
    )


@pytest.mark.parametrize("make", [_fake, _player], ids=["fake", "player"])
def test_every_speaker_keeps_the_contract(
    make: Callable[[Path], Iterator[Rig]], tmp_path: Path
) -> None:
    for rig in make(tmp_path):
        stop = threading.Event()
        assert rig.speaker.far_end
        rig.speaker.say("ebike-out", ("zh", "en"), stop)
        assert rig.heard() == ["ebike-out.zh.wav", "ebike-out.en.wav"]
        rig.away()
        with pytest.raises(LinkError) as failed:
            rig.speaker.say("keep-clear", ("zh",), stop)
        assert failed.value.where == rig.speaker.far_end
        rig.back()
        rig.speaker.say("keep-clear", ("en",), stop)
        assert rig.heard()[-1] == "keep-clear.en.wav"
        stop.set()
        rig.speaker.say("keep-clear", ("zh",), stop)
        assert len(rig.heard()) == 3


def test_a_player_that_hangs_is_ended_and_one_that_is_gone_is_said() -> None:
    begun = time.monotonic()
    with pytest.raises(LinkError, match="has not ended"):
        PlayerSpeaker(player(SLEEPS), longest=0.2).say("ebike-out", ("zh",), threading.Event())
    assert time.monotonic() - begun < 30
    with pytest.raises(LinkError, match="No such file"):
        PlayerSpeaker(("/nowhere/player",)).say("ebike-out", ("zh",), threading.Event())
    with pytest.raises(LinkError, match="plays sound"):
        NoSpeaker().say("ebike-out", ("zh",), threading.Event())


def test_it_falls_silent_at_once_when_the_edge_ends() -> None:
    stop = threading.Event()
    speaking = threading.Thread(
        target=PlayerSpeaker(player(SLEEPS)).say, args=("ebike-out", ("zh", "en"), stop)
    )
    speaking.start()
    stop.set()
    speaking.join(60)
    assert not speaking.is_alive()


def test_players_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speakers.shutil, "which", lambda name: name if name == "paplay" else None)
    assert player_of("auto") == ("paplay",)
    assert player_of("paplay", "lift") == ("paplay", "--device=lift")
    assert player_of("none") is None
    with pytest.raises(InputError, match="'aplay' is not on this machine"):
        player_of("aplay")
    monkeypatch.setattr(speakers.shutil, "which", lambda name: None)
    assert isinstance(speaker_of("auto"), NoSpeaker)


def test_every_sentence_is_there_short_in_both_tongues_and_on_the_page() -> None:
    assert set(WORDS) == set(PROMPTS)
    for prompt in PROMPTS:
        for tongue in ("zh", "en"):
            with wave.open(str(CLIPS / f"{prompt}.{tongue}.wav")) as clip:
                seconds = clip.getnframes() / clip.getframerate()
                assert 1 < seconds < LONGEST / 2


TERMS = Terms(pause=6.0, most=3)


def test_it_is_said_again_after_a_pause_a_few_times_and_anew_for_another_happening() -> None:
    said, times = Said(), []
    for tenth in range(1200):
        now = tenth / 10
        if 50 <= now < 85:
            continue  # gone for longer than OVER
        said, due = wanted(said, now, TERMS)
        if due:
            times.append(now)
            said = spoken(said, now + 2)
    assert OVER < 85 - 50
    assert times == [0.0, 8.0, 16.0, 85.0, 93.0, 101.0]


def test_a_clock_that_goes_back_says_nothing_twice() -> None:
    said, due = wanted(Said(), 100.0, TERMS)
    assert due
    said = spoken(said, 102.0)
    assert not wanted(said, 50.0, TERMS)[1]


@dataclass
class Order:
    prompt: str | None
    said: list[tuple[str, str]] = field(default_factory=list)
    late: bool = False

    def expired(self) -> bool:
        self.said += [("expired", "expired")] if self.late else []
        return self.late

    @property
    def command(self) -> object:
        return SimpleNamespace(data=SimpleNamespace(prompt=self.prompt))

    def finish(self, phase: str, code: str = "ok", detail: str | None = None) -> None:
        self.said.append((phase, code))


@dataclass
class World:
    clock: ManualClock
    speaker: FakeSpeaker
    hand: SpeakerHand
    told: list[Happening]

    def after(self, seconds: float, *prompts: str) -> None:
        self.clock.advance(seconds)
        for prompt in prompts:
            self.hand.want(prompt)  # type: ignore[arg-type]
        self.hand.turn()


@pytest.fixture
def world() -> World:
    clock, speaker, told = ManualClock(START), FakeSpeaker(), []
    return World(clock, speaker, SpeakerHand(CONFIG, speaker, clock, told.append), told)


def test_what_is_said_is_an_event_with_its_end(world: World) -> None:
    world.after(0, "ebike-out")
    assert world.speaker.said == [("ebike-out", "zh"), ("ebike-out", "en")]
    assert [(one.event, one.phase, one.label) for one in world.told] == [
        ("voice-prompt", "begin", "ebike-out"),
        ("voice-prompt", "end", "ebike-out"),
    ]
    assert world.hand.acted[0].result == "done"
    world.after(1, "ebike-out")
    assert len(world.told) == 2  # not before the pause
    world.after(OVER + 1)
    assert world.hand.acted == ()


def test_what_cannot_be_said_is_no_event_and_stands_as_failed(world: World) -> None:
    world.speaker.away = True
    world.after(0, "ebike-out")
    assert (world.told, world.hand.acted[0].result, world.hand.failed) == ([], "failed", 1)
    order = Order("ebike-out")
    world.hand.order(order)  # type: ignore[arg-type]
    world.hand.turn()
    assert order.said == [("failed", "unreachable")]


def test_staff_speak_at_once_first_and_bounded(world: World) -> None:
    world.after(0, "ebike-out")
    orders = [Order("help-is-coming"), Order("ebike-out"), Order("keep-clear")]
    for order in orders:
        world.hand.order(order)  # type: ignore[arg-type]
    world.hand.want("no-dumping")
    world.hand.turn()
    assert [one.said for one in orders] == [[("done", "ok")]] * 2 + [[("failed", "busy")]]
    assert [prompt for prompt, tongue in world.speaker.said if tongue == "zh"] == [
        "ebike-out",
        "help-is-coming",
        "ebike-out",
        "no-dumping",
    ]


def test_an_order_that_waited_too_long_is_not_said(world: World) -> None:
    order = Order("help-is-coming", late=True)
    world.hand.order(order)  # type: ignore[arg-type]
    world.hand.turn()
    assert (order.said, world.speaker.said) == ([("expired", "expired")], [])


@pytest.mark.parametrize(
    ("prompt", "code"), [("sing-a-song", "unknown-prompt"), (None, "no-prompt")]
)
def test_a_sentence_that_there_is_not_is_refused(
    world: World, prompt: str | None, code: str
) -> None:
    order = Order(prompt)
    world.hand.order(order)  # type: ignore[arg-type]
    assert order.said == [("failed", code)]


def test_a_wish_that_comes_too_late_is_dropped_and_counted(world: World) -> None:
    world.hand.want("ebike-out")
    world.after(LATE + 0.1)
    assert (world.speaker.said, world.hand.late) == ([], 1)


def test_orders_that_wait_when_the_edge_ends_are_answered(world: World) -> None:
    order, stop = Order("ebike-out"), threading.Event()
    stop.set()
    world.hand.order(order)  # type: ignore[arg-type]
    world.hand.run(stop)
    assert order.said == [("failed", "ended")]


@pytest.mark.parametrize("shadow", [False, True], ids=["live", "shadow"])
def test_a_camera_speaks_once_it_is_confirmed_and_the_event_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, shadow: bool
) -> None:
    stop = StopSignal()

    class Last(FakeSpeaker):
        """Ends the run once it has spoken, however long that took."""

        def say(self, prompt: Prompt, tongues: Sequence[Tongue], quiet: threading.Event) -> None:
            super().say(prompt, tongues, quiet)
            stop.set()

    fake = Last()
    monkeypatch.setattr("edge.agent.parts.speaker_of", lambda player, output: fake)
    rule = Scenario(
        event="ebike-in-elevator",
        labels=("person",),
        zone="middle",
        dwell=1.0,
        say="ebike-out",
        speaker="voice-1",
        shadow=shadow,
    )
    camera = Camera(
        id="cam",
        label="c",
        source=str(square_clip(tmp_path / "square.mp4")) if shadow else "pattern:square",
        speed="max",
        zone=(Zone(id="middle", points=ZONE, anchor="center"),),
        scenario=(rule,),
    )
    ingest = QuickIngest()
    settings = EdgeSettings(
        data=str(tmp_path / "edge"),
        node=NODE,
        model=Model(file=str(bright_square_model(tmp_path / "square.onnx"))),
        camera=(camera,),
        speaker=(CONFIG,),
    )
    heard: list[dict[str, object]] = []
    with Agent(
        settings, SystemClock(), version="1", tell=heard.append, connect=ingest.link
    ) as agent:
        handlers = agent._parts.speakers.handlers()
        agent.run(stop, drain=60)
        if shadow:
            agent.verdict()
    assert set(handlers) == {(device, "voice-prompt") for device in ("cam", "voice-1")}
    told = [one["phase"] for one in heard if one.get("event") == "voice-prompt"]
    if shadow:
        assert (fake.said, told) == ([], [])
    else:
        assert fake.said[:2] == [("ebike-out", "zh"), ("ebike-out", "en")]
        assert told[:2] == ["begin", "end"]


def configured(**changes: object) -> dict[str, object]:
    scenario = {"event": "e", "labels": ["person"], "zone": "z", **changes}
    zone = {"id": "z", "points": [[0, 0], [1, 0], [1, 1]]}
    camera = {"id": "c1", "label": "c", "source": "pattern:empty"}
    return {"camera": [{**camera, "zone": [zone], "scenario": [scenario]}]}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (configured(say="ebike-out", speaker="v"), "names speaker 'v'; there is: none"),
        (configured(speaker="v"), "needs say: ebike-out"),
        (configured(say="sing-a-song"), "say"),
        (
            {**configured(), "speaker": [{"id": "c1", "label": "l"}]},
            "device id 'c1' is there twice",
        ),
        (
            {**configured(), "speaker": [{"id": "v", "label": "l", "output": "hw:1"}]},
            "only aplay and paplay",
        ),
        ({**configured(), "speaker": [{"id": "v", "label": "l", "pause": 1}]}, ">= 2"),
    ],
)
def test_a_speaker_that_cannot_be_is_one_clear_error(
    document: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        convert(document, EdgeConfig, where="test")
