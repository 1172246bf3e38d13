"""The display of a guidance point: one small page, served by the edge to the tablet beside it.

It shows words and never a picture. Reached from this machine only, unless a setting says otherwise.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Any, Literal, Self

from edge.few import FewServer
from edge.guide.booth import Shown
from linli.errors import InputError

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/guide.css": ("guide.css", "text/css; charset=utf-8"),
    "/guide.js": ("guide.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
PATIENCE = 5.0
"""Seconds that one connection may take."""
MOST = 8
"""Connections at once; a display has one."""


class Screen:
    """Serves the page while it is entered; `show` may be called by any thread."""

    def __init__(self, host: str, port: int) -> None:
        """`port` 0 takes a free one."""
        self._at = host, port
        self._shown: Shown | Literal["away"] = "idle"
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._at[1] if self._server is None else int(self._server.server_address[1])

    def __enter__(self) -> Self:
        """Begin to listen. Raises InputError when the address cannot be used."""
        try:
            self._server = _Server(self._at, _Handler)
        except OSError as error:
            raise InputError(
                f"cannot listen on {self._at[0]}:{self._at[1]} ({error.strerror})",
                where="guide.listen",
                hint="Another program may have it; name another port",
            ) from None
        self._server.screen = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="guide-screen", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            server.server_close()
            self._thread.join()

    def show(self, shown: Shown | Literal["away"]) -> None:
        """Show something else from now on; `away`: out of order."""
        self._shown = shown

    def state(self) -> bytes:
        """Return what is shown, as the page asks for it."""
        return json.dumps({"shown": self._shown}).encode()


class _Server(FewServer):
    most = MOST
    screen: Screen


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    server_version, sys_version = "linli", ""
    connection: socket

    def do_GET(self) -> None:
        """Serve the page, its two files, or what is shown."""
        path = self.path.partition("?")[0]
        if path == "/state":
            self._answer(200, "application/json", self.server.screen.state())
        elif path in FILES:
            name, kind = FILES[path]
            self._answer(200, kind, (PAGE / name).read_bytes())
        else:
            self._answer(404, "text/plain; charset=utf-8", b"no such page\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing of each request."""
