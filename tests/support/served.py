"""A real HTTP server in a thread, that a test may stop and start again on the same port."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI


class Served:
    """Serves an application on a free port of loopback."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.socket: socket.socket | None = None
        self.port = 0
        self.server: uvicorn.Server | None = None
        self.thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self.app, log_level="critical", lifespan="off", timeout_graceful_shutdown=0
        )
        self.server, self.socket = uvicorn.Server(config), listening
        self.thread = threading.Thread(target=self.server.run, args=([listening],))
        self.thread.start()
        deadline = time.monotonic() + 45
        while not self.server.started:
            assert time.monotonic() < deadline, "the server did not start"
            threading.Event().wait(0.01)

    def stop(self) -> None:
        assert self.server is not None
        assert self.thread is not None
        assert self.socket is not None
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(45)
        self.socket.close()


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[Served]:
    running = Served(app)
    running.start()
    try:
        yield running
    finally:
        running.stop()
