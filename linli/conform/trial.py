"""A trial: a script that waits for what comes and says what our side does next. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from linli.conform.trace import Did, Event, Trace


@dataclass(frozen=True, slots=True)
class Say:
    """Publish this at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the connection of whoever is tried, and let nobody in until `Open`."""


@dataclass(frozen=True, slots=True)
class Open:
    """Let clients in again."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Run the command that kills and starts whoever is tried."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Run the command that prints what whoever is tried has by now."""


_EARLIEST = datetime.min.replace(tzinfo=UTC)
Action = Say | Cut | Open | Restart | Ask


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when `until` holds, or after so many seconds."""

    until: Callable[[], bool]
    seconds: float


Script = Generator[Wait, None, None]


def never() -> bool:
    """Wait for the whole time."""
    return False


class Trial:
    """Base of all: runs the script of a subclass. Times are passed in."""

    def __init__(self) -> None:
        self.trace = Trace()
        self.phase = "waiting for it to connect"
        self.done = False
        self._actions: list[Action] = []
        self._now = _EARLIEST
        self._script: Script | None = None
        self._wait: Wait | None = None
        self._until = _EARLIEST

    def see(self, client: str, event: Event) -> None:
        """Take what passed the relay."""
        raise NotImplementedError

    def script(self) -> Script:
        """Do one thing after the other."""
        raise NotImplementedError

    def step(self, now: datetime) -> list[Action]:
        """Go on as far as possible; return what is to be done now, in that order."""
        self._now = now
        if self._script is None:
            self._script = self.script()
            self._next()
        while (
            not self.done and self._wait is not None and (self._wait.until() or now >= self._until)
        ):
            self._next()
        actions, self._actions = self._actions, []
        return actions

    def answer(self, text: str) -> None:
        """Take what the command of an `Ask` printed."""
        self._note("answer", text)

    def _next(self) -> None:
        assert self._script is not None
        try:
            self._wait = next(self._script)
        except StopIteration:
            self.done = True
            return
        self._until = self._now + timedelta(seconds=self._wait.seconds)

    def _do(self, action: Action) -> None:
        self._actions.append(action)

    def _note(self, name: str, what: str = "", place: tuple[str, int] | None = None) -> None:
        self.trace.add(Did(at=self._now, name=name, what=what, place=place))
