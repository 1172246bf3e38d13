"""What `linli edge run` does in the process that watches."""

from __future__ import annotations

import json
import signal
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.agent import Agent
from edge.agent.agent import Tell
from edge.agent.endpoint import Endpoint
from edge.agent.host import Host, Say
from edge.lives import Lives
from edge.settings import EdgeSettings
from edge.supervise import STARTING
from linli.clock import SystemClock
from linli.codec import prepare_types
from linli.errors import LinliError
from linli.log import redact
from linli.process import StopSignal
from linli.service import ServiceManager


def work(
    config: Path, stop: StopSignal, *, as_json: bool, duration: float | None, drain: float
) -> None:
    """Watch the cameras and deliver what they see. Raises LinliError."""
    mouth = _Mouth(stop) if as_json else None
    manager = ServiceManager.of()

    def make(settings: EdgeSettings, running: Say) -> _Run:
        tell: Tell = mouth.say if mouth else lambda _said: None
        agent = Agent(
            settings,
            SystemClock(),
            version=_version(),
            tell=tell,
            config=running,
            alive=manager.alive,
            lives=Lives.of(),
            renew=host.renew,
        )
        endpoint = Endpoint(settings.status, agent.standing)
        return _Run(agent, endpoint, manager, mouth, duration=duration, drain=drain)

    host = Host(config, make)
    signal.signal(signal.SIGHUP, lambda *_: host.reload())
    try:
        host.run(stop)
    except LinliError as error:
        manager.falling(redact(str(error)))
        raise


class _Run:
    """An agent's life under its host."""

    def __init__(
        self,
        agent: Agent,
        endpoint: Endpoint,
        manager: ServiceManager,
        mouth: _Mouth | None,
        *,
        duration: float | None,
        drain: float,
    ) -> None:
        self._agent = agent
        self._endpoint = endpoint
        self._manager = manager
        self._mouth = mouth
        self._duration = duration
        self._drain = drain

    def __enter__(self) -> Self:
        """Start the agent."""
        self._manager.starting(STARTING)
        prepare_types()  # before there are threads
        self._agent.__enter__()
        self._endpoint.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._manager.starting(STARTING)
        self._endpoint.__exit__(kind, error, trace)
        self._agent.__exit__(kind, error, trace)

    def run(self, stop: StopSignal) -> None:
        """Let it work until told to stop."""
        self._agent.run(stop, duration=self._duration, drain=self._drain)

    def change(self, settings: EdgeSettings) -> bool:
        """Have it go over to other settings, if that can be. Raises InputError."""
        return self._agent.change(settings)

    def end(self) -> None:
        """Say what it saw, and fail when something was lost."""
        self._manager.stopping()
        if self._mouth:
            self._mouth.say(self._agent.summary())
        self._agent.verdict()


class _Mouth:
    """Writes one JSON object per line to standard output; ends the agent when nobody listens."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._lock = threading.Lock()

    def say(self, said: dict[str, Any]) -> None:
        """Write a line, whole, at once."""
        line = json.dumps(said, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                sys.stdout.write(line)
                sys.stdout.flush()
            except BrokenPipeError:
                self._stop.set()


def _version() -> str:
    try:
        return version("linli")
    except PackageNotFoundError:
        return "0"
