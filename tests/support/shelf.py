"""A real HTTP server with one file on it, as good or as bad as a test wants it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Shelf:
    """`faults` are taken one a request, then all is well; `asked` are the headers that came."""

    content: bytes
    faults: list[str] = field(default_factory=list)
    always: str = ""
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def tag(self) -> str:
        return f'"{hashlib.md5(self.content).hexdigest()}"'


@contextmanager
def serve(shelf: Shelf) -> Iterator[Shelf]:
    """Serve until the block ends; `shelf.url` is where."""

    class Handler(_Handler):
        it = shelf

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    it: Shelf
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        shelf = self.it
        shelf.asked.append(dict(self.headers))
        shelf.paths.append(self.path)
        fault = shelf.faults.pop(0) if shelf.faults else shelf.always
        self.close_connection = True
        if fault.isdecimal():
            return self._send(int(fault), b"no", {})
        if fault == "moved":
            return self._send(302, b"", {"Location": f"{shelf.url}/elsewhere.onnx"})
        if fault == "page":
            return self._send(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
        if fault == "packed":
            return self._send(200, shelf.content, {"Content-Encoding": "gzip"})
        if fault == "endless":
            return self._send(200, shelf.content * 2, {"Content-Length": ""})
        if fault == "long":
            return self._send(200, shelf.content, {"Content-Length": str(len(shelf.content) + 9)})
        start = self._start(fault)
        status = 206 if start is not None else 200
        body = shelf.content[start or 0 :]
        headers = {"ETag": shelf.tag}
        if fault == "dated":
            headers = {"ETag": 'W/"weak"', "Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}
        if fault == "nameless":
            headers = {}
        if start is not None:
            if start >= len(shelf.content):
                return self._send(416, b"", {"Content-Range": f"bytes */{len(shelf.content)}"})
            shown = start - 1 if fault == "shifted" else start
            end = len(shelf.content) - 1
            headers["Content-Range"] = f"bytes {shown}-{end}/{len(shelf.content)}"
        headers["Content-Length"] = str(len(body))
        if fault in {"cut", "nameless", "dated"}:
            body = body[: max(1, len(shelf.content) // 4)]
        if fault == "empty":
            body = b""
        return self._send(status, body, headers)

    def _start(self, fault: str) -> int | None:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if found is None or fault == "ignores":
            return None
        condition = self.headers.get("If-Range")
        return None if condition and condition != self.it.tag else int(found.group(1))

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
