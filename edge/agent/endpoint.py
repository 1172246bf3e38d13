"""`/status` and `/metrics` of an edge, for who is on the same machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

import msgspec

from edge import metrics
from edge.few import FewServer
from edge.settings import StatusAt
from edge.standing import Standing
from linli.errors import LinliError
from linli.log import get_logger

log = get_logger(__name__)

PATIENCE = 5.0
"""Seconds that one connection may take."""
MOST = 4
"""Connections at once."""


class Endpoint:
    """Answers while it is entered; an address that cannot be had is said and gone without."""

    def __init__(self, at: StatusAt, standing: Callable[[], Standing]) -> None:
        """`standing` is asked by any thread; a `port` of 0 has nothing listen."""
        self._at = at
        self._standing = standing
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        if self._at.port:
            self.listen((self._at.host, self._at.port))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def listen(self, address: tuple[str, int]) -> int:
        """Listen there; return the port, 0 when it cannot be had."""
        try:
            server = _Server(address, _Handler)
        except OSError as error:
            log.warning("status: cannot listen on %s:%d (%s)", *address, error.strerror)
            return 0
        server.standing = self._standing
        self._server = server
        serve = threading.Thread(target=server.serve_forever, name="status", daemon=True)
        serve.start()
        return int(server.server_address[1])


class _Server(FewServer):
    most = MOST
    standing: Callable[[], Standing]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    server_version, sys_version = "linli", ""

    def do_GET(self) -> None:
        """Say how the edge is."""
        path = self.path.partition("?")[0]
        if path not in ("/status", "/metrics"):
            self._answer(404, "text/plain; charset=utf-8", b"there is /status and /metrics\n")
            return
        try:
            standing = self.server.standing()
        except LinliError as error:
            self._answer(503, "text/plain; charset=utf-8", f"{error}\n".encode())
            return
        if path == "/status":
            self._answer(200, "application/json", msgspec.json.encode(standing))
        else:
            self._answer(200, metrics.MEDIA_TYPE, metrics.text(standing))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing of each request."""
