"""A trial on a real broker: the relay before it, a link of our own beside it, one thread."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from linli.broker import find_mosquitto, free_port
from linli.clock import Clock
from linli.conform.ends import Ends
from linli.conform.relay import Relay
from linli.conform.trial import Ask, Cut, Open, Restart, Say, Trial
from linli.errors import InputError, LinkError
from linli.mqtt import Delivery, LinkOptions, PahoLink

_TURN = 0.01
_SOON = 30.0
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_CONFIG = (
    "listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n"
    "max_queued_messages 10000\nmax_inflight_messages 1000\npersistence false\n"
)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and who we are there."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Broker:
        """Read mqtt://USER:PASSWORD@HOST:PORT, or mqtts. Raises InputError."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in _PORTS or not parts.hostname:
            raise InputError(
                "must be like mqtt://user:password@host:1883",
                where="--broker",
                hint="Or mqtts://user@host:8883 with --ca-file, for TLS",
            )
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port, user, password, parts.scheme == "mqtts")


@contextlib.contextmanager
def own_broker() -> Iterator[Broker]:
    """Run a mosquitto that lets everybody in, on this machine alone. Raises InputError."""
    program = find_mosquitto()
    if program is None:
        raise InputError(
            "no mosquitto on this machine",
            where="linli conform",
            hint="Install mosquitto, or name a broker with --broker",
        )
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="linli-conform-") as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(_CONFIG.format(port=port), encoding="utf-8")
        process = subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            yield Broker("127.0.0.1", port)
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _SOON
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)


class Voice:
    """Our own connection, straight to the broker."""

    def __init__(self, broker: Broker, clock: Clock, ends: Ends) -> None:
        options = LinkOptions(
            host=broker.host,
            port=broker.port,
            client_id=broker.username or "conform",
            username=broker.username,
            password=broker.password,
            tls=ends.voice,
        )
        self.refused: list[str] = []
        self.down = ""
        self.link = PahoLink(options, self, clock)

    def on_up(self) -> None:
        """Nothing to be told."""

    def on_down(self, reason: str) -> None:
        """Keep why: it may never come up."""
        self.down = reason

    def on_message(self, delivery: Delivery) -> None:
        """Nothing is subscribed to."""

    def on_sent(self, token: int, error: str | None) -> None:
        """Keep what the broker does not let us say."""
        del token
        if error is not None:
            self.refused.append(error)


class Drive:
    """Runs one trial to its end."""

    def __init__(
        self,
        trial: Trial,
        broker: Broker,
        clock: Clock,
        restart: str = "",
        *,
        ends: Ends,
        tally: str = "",
    ) -> None:
        self._trial = trial
        self._broker = broker
        self._clock = clock
        self._restart = restart
        self._tally = tally
        self._ends = ends
        self._began = clock.now()
        self._zero = clock.monotonic()
        self._relay = Relay((broker.host, broker.port), trial.see, self._now, ends)

    def run(
        self,
        listen: tuple[str, int],
        tell: Callable[[str], None],
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Play the trial. `tell` gets a line when another phase begins.

        Raises InputError for a port that is taken, LinkError without a broker or rights there.
        """
        voice = Voice(self._broker, self._clock, self._ends)
        try:
            self._reach(voice)
            port = self._relay.listen(*listen)
            if self._ends.near is not None:
                tell("it has to speak TLS")
            tell(f"connect it to {listen[0]}:{port}")
            self._play(voice, tell, stopped)
        finally:
            self._relay.close()
            voice.link.close()

    def _reach(self, voice: Voice) -> None:
        until = time.monotonic() + _SOON
        while not voice.link.connected:
            if time.monotonic() > until:
                why = f": {voice.down}" if voice.down else ""
                raise LinkError(
                    f"no broker at {self._broker.host}:{self._broker.port}{why}",
                    where="linli conform",
                )
            voice.link.step(0.05)

    def _play(self, voice: Voice, tell: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        phase = ""
        while not self._trial.done and not stopped():
            self._relay.turn(_TURN)
            while self._relay.troubles:
                tell(self._relay.troubles.popleft())
            voice.link.step(0)
            for action in self._trial.step(self._now()):
                if isinstance(action, Say):
                    voice.link.publish(action.topic, action.payload, retain=action.retain)
                elif isinstance(action, Cut):
                    self._relay.cut(self._trial.trace.node)
                elif isinstance(action, Open):
                    self._relay.open()
                elif isinstance(action, Ask):
                    self._trial.answer(self._asked())
                else:
                    assert isinstance(action, Restart)
                    subprocess.run(self._restart, shell=True, check=False)  # noqa: S602 - the user's own command
            voice.link.step(0)
            if voice.refused:
                raise LinkError(
                    f"the broker refused us: {voice.refused[0]}",
                    where="linli conform",
                    hint="Its user must be allowed to write what the other side writes",
                )
            if phase != self._trial.phase:
                phase = self._trial.phase
                tell(phase)

    def _asked(self) -> str:
        """Return what the user's own command prints, nothing when it takes too long."""
        try:
            done = subprocess.run(  # noqa: S602 - the user's own command
                self._tally, shell=True, check=False, capture_output=True, timeout=_SOON
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout.decode(errors="replace")

    def _now(self) -> datetime:
        return self._began + timedelta(seconds=self._clock.monotonic() - self._zero)
