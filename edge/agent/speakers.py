"""All loudspeakers of this box: a thread for each, which says what scenarios and staff want said.

One sentence at a time; what staff want goes first. What is seen comes in from cameras' threads, one
wish for each sentence and no more; a wish that is not met in time is dropped, and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Literal

from edge.actuate.orders import Handler, Order
from edge.agent.crew import Crew
from edge.agent.part import Part
from edge.agent.sensor_keeper import SensorKeeper
from edge.facts import PromptFact
from edge.sensors.happening import Happening
from edge.settings import EdgeSettings
from edge.speech.manner import OVER, Said, Terms, spoken, wanted
from edge.speech.speaker import Speaker
from linli.clock import Clock
from linli.errors import LinkError
from linli.events import Action
from linli.ids import uuid7
from linli.log import get_logger
from linli.speaker_config import PROMPTS, Prompt
from linli.speaker_config import Speaker as SpeakerSettings

log = get_logger(__name__)

TURN = 0.1
MOST_WAITING = 2
"""Orders that wait: a third would be said after its sender was told that nothing came."""
LATE = 2.0
"""Seconds after which a wish of a scenario is of no use: who it was for may have gone."""
GROUP = "voice"
PROMPT = "voice-prompt"


class SpeakerHand:
    """One loudspeaker. `turn` belongs to its thread, `want`, `order` and `acted` to any.

    `late` counts wishes that were not met in time, `failed` sentences that could not be played.
    """

    def __init__(
        self,
        config: SpeakerSettings,
        speaker: Speaker,
        clock: Clock,
        tell: Callable[[Happening], None],
    ) -> None:
        self.late = 0
        self.failed = 0
        self._config = config
        self._speaker = speaker
        self._clock = clock
        self._tell = tell
        self._terms = Terms(config.pause, config.most)
        self._lock = threading.Lock()
        self._wishes: dict[Prompt, float] = {}
        self._orders: deque[Order] = deque()
        self._said: dict[Prompt, Said] = {}
        self._last: tuple[float, bool] | None = None
        self._news = threading.Event()
        self._stop = threading.Event()

    def want(self, prompt: Prompt) -> None:
        """Have a sentence said if it is time to; never waits."""
        with self._lock:
            self._wishes[prompt] = self._clock.monotonic()
        self._news.set()

    def order(self, order: Order) -> None:
        """Have a sentence said for staff; never waits."""
        prompt = order.command.data.prompt
        if prompt not in PROMPTS:
            order.finish("failed", "unknown-prompt" if prompt else "no-prompt")
        elif len(self._orders) >= MOST_WAITING:
            order.finish("failed", "busy")
        else:
            self._orders.append(order)
            self._news.set()

    @property
    def acted(self) -> tuple[Action, ...]:
        """What was said or could not be just now, nothing when nothing was."""
        if self._last is None or self._clock.monotonic() - self._last[0] > OVER:
            return ()
        return (Action(type=PROMPT, result="done" if self._last[1] else "failed"),)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then fall silent."""
        self._stop = stop
        while not stop.is_set():
            self._news.wait(TURN)
            self._news.clear()
            self.turn()
        while self._orders:
            self._orders.popleft().finish("failed", "ended")

    def turn(self) -> None:
        """Say what waits, as far as it is time to."""
        while self._orders and not self._stop.is_set():
            order = self._orders.popleft()
            if order.expired():
                continue
            error = self._say(_known(order.command.data.prompt))
            if error is None:
                order.finish("done")
            else:
                order.finish("failed", "unreachable", str(error)[:500])
        for prompt in self._due():
            if not self._orders and not self._stop.is_set():
                self._say(prompt)

    def _due(self) -> list[Prompt]:
        with self._lock:
            wishes, self._wishes = self._wishes, {}
        now, due = self._clock.monotonic(), []
        for prompt, since in wishes.items():
            if now - since > LATE:
                self.late += 1
                continue
            self._said[prompt], say = wanted(self._said.get(prompt, Said()), now, self._terms)
            due += [prompt] if say else []
        return due

    def _say(self, prompt: Prompt) -> LinkError | None:
        since, error = self._clock.now(), None
        try:
            self._speaker.say(prompt, self._config.say, self._stop)
        except LinkError as failed:
            error = failed
            self.failed += 1
            if self.failed == 1:
                log.warning("speaker %s: %s", self._config.id, error)
        else:
            self._note(prompt, since, max(self._clock.now(), since))
        now = self._clock.monotonic()
        self._said[prompt] = spoken(self._said.get(prompt, Said()), now)
        self._last = (now, error is None)
        return error

    def _note(self, prompt: Prompt, since: datetime, ended: datetime) -> None:
        """Keep what was said as an event, its end with it."""
        episode = uuid7(since)
        steps: tuple[tuple[Literal["begin", "end"], datetime], ...] = (
            ("begin", since),
            ("end", ended),
        )
        for phase, time in steps:
            self._tell(
                Happening(
                    device=self._config.id,
                    event=PROMPT,
                    phase=phase,
                    episode=episode,
                    severity="low",
                    label=prompt,
                    since=since,
                    time=time,
                    subject=self._config.subject,
                )
            )


class Speakers(Part):
    """Hears what cameras see through `see`; started and ended with the other parts."""

    def __init__(
        self,
        settings: EdgeSettings,
        speakers: Mapping[str, Speaker],
        keeper: SensorKeeper,
        clock: Clock,
        crew: Crew,
    ) -> None:
        """`speakers` are those of the settings by id."""
        self.keeper = keeper
        self._before = _before(settings)
        self._crew = crew
        self._lock = threading.Lock()
        self._hands = {
            one.id: SpeakerHand(one, speakers[one.id], clock, self._tell)
            for one in settings.speaker
        }
        self._stop = threading.Event()

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return self.keeper.lost_events + self.keeper.unsaved

    def change(self, settings: EdgeSettings) -> None:
        """Take which cameras name which from now on."""
        self._before = _before(settings)

    def counts(self) -> Mapping[str, int]:
        """Return what was lost, wishes that came too late, and sentences that failed."""
        hands = self._hands.values()
        late, failed = sum(hand.late for hand in hands), sum(hand.failed for hand in hands)
        return {"lost-events": self.lost_events, "late": late, "failed": failed}

    def start(self) -> None:
        """Start a thread for each."""
        for name, hand in self._hands.items():
            self._crew.start(f"speaker:{name}", partial(hand.run, self._stop))

    def end(self) -> None:
        """Fall silent and end the threads."""
        self._stop.set()
        self._crew.join(*(f"speaker:{name}" for name in self._hands))

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return who takes which command; one to a camera is to the speaker of its scenario."""
        named = {name: name for name in self._hands}
        return {
            (device, PROMPT): self._hands[name].order
            for device, name in {**self._before, **named}.items()
        }

    def see(self, fact: PromptFact) -> None:
        """Take what a camera shows; never waits."""
        self._hands[fact.speaker].want(fact.prompt)

    def acted(self, speaker: str | None) -> tuple[Action, ...]:
        """Return what was said just now by a scenario's speaker, if it has one."""
        return self._hands[speaker].acted if speaker is not None else ()

    def _tell(self, happening: Happening) -> None:
        with self._lock:
            self.keeper.tell(happening)


def _known(prompt: str | None) -> Prompt:
    assert prompt in PROMPTS  # orders of others are not taken
    return prompt


def _before(settings: EdgeSettings) -> dict[str, str]:
    """Return which speaker each camera names."""
    return {
        camera.id: rule.speaker
        for camera in settings.camera
        for rule in camera.watched
        if rule.speaker is not None
    }
