"""`linli edge run`: watch and deliver, until stopped."""

from __future__ import annotations

import json
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from edge.agent import Agent
from edge.agent.agent import Tell
from edge.agent.host import Host, Say
from edge.settings import EdgeSettings
from linli.cli.edge.options import config_option
from linli.clock import SystemClock
from linli.process import StopSignal


@click.command(epilog="Example: linli edge run --config edge.toml")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Say what happens as JSON lines.")
@click.option("--duration", type=click.FloatRange(min=0), help="Seconds from the first frame.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds to wait at the end until the ingest has everything.",
)
def run(config: Path, as_json: bool, duration: float | None, drain: float) -> None:
    """Watch the cameras and deliver what they see, until stopped or all files are played.

    What to watch is in the settings, or comes from the ingest that they name; when it changes
    there, the cameras start again with it.
    """
    stop = StopSignal()
    stop.install()
    mouth = _Mouth(stop) if as_json else None

    def make(settings: EdgeSettings, running: Say) -> _Run:
        tell: Tell = mouth.say if mouth else lambda _said: None
        agent = Agent(settings, SystemClock(), version=_version(), tell=tell, config=running)
        return _Run(agent, mouth, duration=duration, drain=drain)

    Host(config, make).run(stop)


class _Run:
    """An agent's life under its host."""

    def __init__(
        self, agent: Agent, mouth: _Mouth | None, *, duration: float | None, drain: float
    ) -> None:
        self._agent = agent
        self._mouth = mouth
        self._duration = duration
        self._drain = drain

    def __enter__(self) -> Self:
        """Start the agent."""
        self._agent.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._agent.__exit__(kind, error, trace)

    def run(self, stop: StopSignal) -> None:
        """Let it work until told to stop."""
        self._agent.run(stop, duration=self._duration, drain=self._drain)

    def end(self) -> None:
        """Say what it saw, and fail when something was lost."""
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
