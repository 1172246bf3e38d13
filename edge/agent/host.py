"""Keeps an agent running on the best configuration there is, and starts another when it changes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx2

from edge.agent.wanted import WantedConfig
from edge.kept import Wanted
from edge.settings import EdgeSettings, load_box, load_settings
from edge.upload import open_client
from linli.errors import InputError, LinkError, LinliError, StoreError
from linli.events import ConfigReport
from linli.process import StopSignal
from linli.settings import make_folder, read_secret

TRIAL = 30.0
"""Seconds that a new configuration must have run before it is the one to go back to."""
_SLICE = 0.1
Say = Callable[[], ConfigReport | None]


class Runs(Protocol):
    """What an agent is to its host."""

    def __enter__(self) -> Self:
        """Start. Raises InputError."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        ...

    def run(self, stop: StopSignal) -> None:
        """Work until told to stop. Raises LinliError."""
        ...

    def end(self) -> None:
        """Say how it went, when this was not for a new configuration."""
        ...


Make = Callable[[EdgeSettings, Say], Runs]


class Host:
    """Runs agents one after the other; each has one configuration for its whole life."""

    def __init__(self, config: Path, make: Make) -> None:
        self._config = config
        self._make = make

    def run(self, stop: StopSignal) -> None:
        """Run until told to stop or until an agent has nothing more to do. Raises LinliError."""
        box = load_box(self._config)
        if box.ingest is None:
            with self._make(load_settings(self._config), lambda: None) as agent:
                agent.run(stop)
                agent.end()
            return
        make_folder(box.folder)
        key = read_secret(Path(box.ingest.key_file))
        with open_client() as client:
            self._follow(WantedConfig(self._config, box, key, client), stop)

    def _follow(self, wanted: WantedConfig, stop: StopSignal) -> None:
        if not wanted.something_to_run():
            wanted.ask()  # otherwise cameras do not wait for an ingest that may be away
        over = threading.Event()
        watcher = threading.Thread(target=wanted.watch, args=(over,), name="wanted", daemon=True)
        watcher.start()
        try:
            while self._turn(wanted, stop):
                pass
        finally:
            over.set()
            watcher.join()

    def _turn(self, wanted: WantedConfig, stop: StopSignal) -> bool:
        """Run one agent; tell whether another one is to follow."""
        agent, tried = self._start(wanted)
        turn = Turn(stop, wanted.news, lambda: wanted.works(tried) if tried else None)
        try:
            agent.run(turn)
            if wanted.news.is_set() and not stop.is_set():
                return True
            agent.end()
        except (StoreError, LinkError):
            raise  # no configuration helps against a full disk
        except LinliError as error:
            if tried is None or turn.proven:
                raise
            wanted.refuse(tried, error)
            return True
        finally:
            agent.__exit__(*sys.exc_info())
        return False

    def _start(self, wanted: WantedConfig) -> tuple[Runs, Wanted | None]:
        """Start an agent with the best configuration that lets it, and say which is on trial.

        Raises InputError.
        """
        *better, last = wanted.candidates()
        for candidate in better:
            assert candidate is not None
            try:
                agent = self._make(wanted.settings(candidate), wanted.report).__enter__()
            except InputError as error:
                wanted.refuse(candidate, error)
                continue
            wanted.runs(candidate)
            return agent, candidate
        wanted.runs(last)
        return self._make(wanted.settings(last), wanted.report).__enter__(), None


class Turn(StopSignal):
    """Asks for the end when everything is to stop, or when something new is to begin.

    `prove` is called once when it has gone on for TRIAL seconds.
    """

    def __init__(self, stop: StopSignal, news: threading.Event, prove: Callable[[], None]) -> None:
        super().__init__()
        self.proven = False
        self._stop = stop
        self._news = news
        self._prove = prove
        self._until = time.monotonic() + TRIAL

    def is_set(self) -> bool:
        """Tell whether the end was asked for."""
        return self._stop.is_set() or self._news.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, and tell whether the end was asked for meanwhile; news may be seen a bit late."""
        end = time.monotonic() + seconds
        while not self.is_set():
            now = time.monotonic()
            if now >= self._until and not self.proven:
                self.proven = True
                self._prove()
            if now >= end:
                return False
            self._stop.wait(min(end - now, _SLICE))
        return True


def settings_now(config: Path, client: httpx2.Client | None = None) -> tuple[EdgeSettings, int]:
    """Return the settings that a start would use now, and the version in them, 0 for none.

    The ingest is asked once when the file names one. Raises InputError.
    """
    box = load_box(config)
    if box.ingest is None:
        return load_settings(config), 0
    key = read_secret(Path(box.ingest.key_file))
    with client or open_client() as asked:
        wanted = WantedConfig(config, box, key, asked)
        wanted.ask()
        best = wanted.candidates()[0]
    return wanted.settings(best), best.version if best else 0
