"""What comes to the web process from outside: a byte when the journal grew, a signal to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from ingest.settings import WAKE


@contextlib.contextmanager
def woken_by_pipe(wake: Callable[[], None], ready: Callable[[], None]) -> Iterator[None]:
    """Call `wake` when the receiver writes to the pipe whose number is in LINLI_WAKE.

    The first time `ready` too: the receiver writes once it listens at the broker.
    """
    number = os.environ.get(WAKE, "")
    if not number.isdecimal():
        yield
        return
    pipe = int(number)
    os.set_blocking(pipe, False)
    loop = asyncio.get_running_loop()
    first = [ready]

    def drain() -> None:
        try:
            if not os.read(pipe, 65536):
                loop.remove_reader(pipe)  # the receiver's end is closed; polling goes on
                return
        except BlockingIOError:
            return
        wake()
        while first:
            first.pop()()

    loop.add_reader(pipe, drain)
    try:
        yield
    finally:
        loop.remove_reader(pipe)


@contextlib.contextmanager
def leaving_on_signal(leave: Callable[[], None]) -> Iterator[None]:
    """Call `leave` as soon as the process is told to end.

    The server waits for open requests before it ends the lifespan, and a live stream would never
    end by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        leave()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
