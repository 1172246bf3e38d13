"""Says the right bin aloud with a player of the machine; protocol, the real one, and the fake."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from edge.speech.speaker import PLAYERS, player_of
from linli.log import get_logger
from linli.speaker_config import Player

log = get_logger(__name__)

Word = Literal["recyclable", "hazardous", "food", "residual", "ask"]
Tongue = Literal["zh", "en"]
CLIPS = Path(__file__).parent / "clips"
_END = 1.0


class Voice(Protocol):
    """Speaks; a context manager that falls silent at its end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def say(self, word: Word) -> None:
        """Begin to say it, at once and in place of what is being said. Never raises."""
        ...

    def go_on(self) -> None:
        """Say the next tongue when the last one is done; called with every frame."""
        ...


class PlayerVoice:
    """Plays a clip for each tongue, one after the other, by a program in a process of its own."""

    def __init__(self, player: Sequence[str], tongues: Sequence[Tongue]) -> None:
        """`player` is the command that takes files."""
        self.failed = 0
        self._player = tuple(player)
        self._tongues = tuple(tongues)
        self._waiting: list[Path] = []
        self._playing: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Fall silent."""
        self._hush()

    def say(self, word: Word) -> None:
        """Begin to say it; what cannot be played is counted, and logged the first time."""
        self._hush()
        self._waiting = [CLIPS / f"{word}.{tongue}.wav" for tongue in self._tongues]
        self.go_on()

    def go_on(self) -> None:
        """Begin the next tongue when the last one is done; called with every frame."""
        if self._playing is not None:
            code = self._playing.poll()
            if code is None:
                return
            self._playing = None
            if code:
                self._note(f"{self._player[0]} ended with {code}")
        if self._waiting:
            self._start(self._waiting.pop(0))

    def _start(self, clip: Path) -> None:
        quiet = subprocess.DEVNULL
        try:
            self._playing = subprocess.Popen(
                [*self._player, str(clip)], stdin=quiet, stdout=quiet, stderr=quiet
            )
        except OSError as error:
            self._note(str(error))

    def _hush(self) -> None:
        self._waiting = []
        playing, self._playing = self._playing, None
        if playing is None:
            return
        playing.terminate()
        try:
            playing.wait(_END)
        except subprocess.TimeoutExpired:
            playing.kill()
            playing.wait()

    def _note(self, what: str) -> None:
        self.failed += 1
        self._waiting = []
        if self.failed == 1:
            log.warning("guide: nothing can be heard: %s", what)


class SilentVoice:
    """Says nothing, and remembers what it would have said last; also the fake."""

    def __init__(self) -> None:
        self.said: list[Word] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to end."""

    def say(self, word: Word) -> None:
        """Remember it."""
        self.said = [*self.said, word][-8:]

    def go_on(self) -> None:
        """Nothing to go on with."""


def voice_of(player: Player, tongues: Sequence[Tongue]) -> Voice:
    """Return the voice of a setting: a player's name, `auto` for the first there is, or `none`.

    Raises InputError when the player is not on this machine.
    """
    if player == "none":
        return SilentVoice()
    command = player_of(player)
    if command is not None:
        return PlayerVoice(command, tongues)
    log.warning("guide: no player is on this machine (%s): it shows only", ", ".join(PLAYERS))
    return SilentVoice()
