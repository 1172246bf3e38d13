"""The agent's threads: named, ended together, and never dead unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable

from linli.errors import LinliError
from linli.log import get_logger

log = get_logger(__name__)

JOIN = 10.0


class Crew:
    """Starts threads; `check` raises what killed one."""

    def __init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}
        self._failure: LinliError | None = None

    def start(self, name: str, run: Callable[[], None]) -> None:
        """Run something in a thread of its own until it returns."""
        thread = threading.Thread(target=self._guard, args=(name, run), name=name, daemon=True)
        self._threads[name] = thread
        thread.start()

    def check(self) -> None:
        """Raise LinliError when a thread ended by an error; the process must not live on."""
        if self._failure is not None:
            raise self._failure

    def running(self, name: str) -> bool:
        """Tell whether a thread is still at work."""
        return self._threads[name].is_alive()

    def join(self, *names: str) -> None:
        """Wait for threads that were told to end."""
        for name in names:
            thread = self._threads.get(name)
            if thread is None:
                continue
            thread.join(JOIN)
            if thread.is_alive():
                log.error("agent: %s did not end in %.0f s", name, JOIN)

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        try:
            run()
        except LinliError as error:
            self._failure = error
        except BaseException as error:
            log.exception("agent: %s fell", name)
            self._failure = LinliError(f"{name} fell: {type(error).__name__}: {error}")
