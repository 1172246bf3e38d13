"""The seam to loudspeakers: the protocol, a player of the machine, and the fake."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from linli.errors import InputError, LinkError
from linli.log import get_logger
from linli.speaker_config import Player, Prompt, Tongue

log = get_logger(__name__)

CLIPS = Path(__file__).parent / "clips"
LONGEST = 15.0
"""Seconds that one clip may take; the longest of ours has five."""
PLAYERS: dict[str, tuple[str, ...]] = {
    "aplay": ("aplay", "-q"),
    "paplay": ("paplay",),
    "ffplay": ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"),
}
_OUTPUTS = {"aplay": ("-D", "{}"), "paplay": ("--device={}",)}
_SLICE = 0.05
_END = 1.0


class Speaker(Protocol):
    """One loudspeaker. Used by one thread at a time."""

    @property
    def far_end(self) -> str:
        """What plays."""
        ...

    def say(self, prompt: Prompt, tongues: Sequence[Tongue], stop: threading.Event) -> None:
        """Say a sentence in each tongue, one after the other; falls silent when `stop` is set.

        Returns at its end. Raises LinkError when it could not be played.
        """
        ...


class PlayerSpeaker:
    """Plays clips by a program, each in a process of its own; never two at once."""

    def __init__(self, command: Sequence[str], longest: float = LONGEST) -> None:
        """`command` takes a file as its last argument."""
        self.far_end = command[0]
        self._command = tuple(command)
        self._longest = longest

    def say(self, prompt: Prompt, tongues: Sequence[Tongue], stop: threading.Event) -> None:
        """Play the clips of a sentence. Raises LinkError."""
        for tongue in tongues:
            if not stop.is_set():
                self._play(CLIPS / f"{prompt}.{tongue}.wav", stop)

    def _play(self, clip: Path, stop: threading.Event) -> None:
        quiet = subprocess.DEVNULL
        try:
            playing = subprocess.Popen(
                [*self._command, str(clip)], stdin=quiet, stdout=quiet, stderr=quiet
            )
        except OSError as error:
            raise LinkError(error.strerror or "cannot be run", where=self.far_end) from None
        try:
            code = self._wait(playing, stop)
        finally:
            _end(playing)
        if code:
            raise LinkError(f"ended with {code}", where=self.far_end)

    def _wait(self, playing: subprocess.Popen[bytes], stop: threading.Event) -> int:
        for _ in range(round(self._longest / _SLICE)):
            code = playing.poll()
            if code is not None or stop.wait(_SLICE):
                return code or 0
        raise LinkError(f"has not ended in {self._longest:g} s", where=self.far_end)


class NoSpeaker:
    """Stands where nothing can play: each sentence fails, and says so."""

    far_end = "no player"

    def say(self, prompt: Prompt, tongues: Sequence[Tongue], stop: threading.Event) -> None:
        """Fail. Raises LinkError."""
        del prompt, tongues, stop
        raise LinkError("nothing on this machine plays sound", where=self.far_end)


class FakeSpeaker:
    """Remembers what it said; `away` makes it fail. Held to the same contract test."""

    def __init__(self) -> None:
        self.far_end = "fake"
        self.away = False
        self.said: list[tuple[Prompt, Tongue]] = []

    def say(self, prompt: Prompt, tongues: Sequence[Tongue], stop: threading.Event) -> None:
        """Remember it, unless away."""
        if self.away:
            raise LinkError("does not answer", where=self.far_end)
        self.said += [(prompt, tongue) for tongue in tongues if not stop.is_set()]


def player_of(player: Player, output: str | None = None) -> tuple[str, ...] | None:
    """Return the command of a player's name, or of the first there is with `auto`; None for none.

    Raises InputError when the player is not on this machine.
    """
    for name, command in PLAYERS.items():
        if player in {name, "auto"} and shutil.which(command[0]):
            device = [] if output is None else [one.format(output) for one in _OUTPUTS[name]]
            return (*command, *device)
    if player in {"auto", "none"}:
        return None
    raise InputError(
        f"{player!r} is not on this machine",
        where="player",
        hint=f"Install it, or set one of: {', '.join(PLAYERS)}, auto, none",
    )


def speaker_of(player: Player, output: str | None = None) -> Speaker:
    """Return the loudspeaker of a setting. Raises InputError."""
    command = player_of(player, output)
    if command is None:
        log.warning("speaker: no player (%s): nothing is heard", ", ".join(PLAYERS))
        return NoSpeaker()
    return PlayerSpeaker(command)


def _end(playing: subprocess.Popen[bytes]) -> None:
    if playing.poll() is not None:
        return
    playing.terminate()
    try:
        playing.wait(_END)
    except subprocess.TimeoutExpired:
        playing.kill()
        playing.wait()
