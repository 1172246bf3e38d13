"""A camera that speaks HTTP, with the habits and faults that such cameras have."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import cv2
import numpy as np

USER, PASSWORD = "linli", "ge/heim"
NONCE = "5f1c"
BIG = 9 * 1024 * 1024


def jpeg(number: int = 0, shape: tuple[int, int] = (240, 416)) -> bytes:
    """Return a picture in which a bright square stands somewhere else for each `number`."""
    image = np.full((*shape, 3), 40, np.uint8)
    left = number * 16 % (shape[1] - 40)
    image[60:100, left : left + 40] = 255
    good, data = cv2.imencode(".jpg", image)
    assert good
    return data.tobytes()


class HttpCamera:
    """Serves on a free port; each path is one way to be a camera. `asked` keeps each request."""

    def __init__(self, *, fps: float = 25.0, port: int = 0) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.elsewhere = ""
        self.let_go = threading.Event()
        self.pause = 1 / fps
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                camera.asked.append((self.path, self.headers.get("Authorization")))
                self.close_connection = True
                with contextlib.suppress(OSError):
                    camera.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str, login: str = "") -> str:
        return f"http://{login}127.0.0.1:{self.port}{path}"

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        way: Callable[[BaseHTTPRequestHandler], None] = getattr(self, to.path.strip("/"))
        way(to)

    def stream(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: _head(len(data)) + data)

    def no_length(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, '"--my boundary"', lambda data: _head(None) + data, "--my boundary")

    def too_short(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: _head(len(data) // 2) + data)

    def too_long(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: _head(999_999_999) + data)

    def garbage(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: b"\r\n\r\n" + bytes(range(256)) * 16)

    def broken(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(
            to, "frame", lambda data: _head(len(data)) + data[:200] + bytes(400) + data[-2:]
        )

    def enormous(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: _head(None) + data[:-2] + b"\1" * BIG)

    def wide(self, to: BaseHTTPRequestHandler) -> None:
        def claim(data: bytes) -> bytes:
            at = data.index(b"\xff\xc0") + 5
            data = data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]
            return _head(len(data)) + data

        self._parts(to, "frame", claim)

    def stall(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: _head(len(data)) + data, most=2)
        self.let_go.wait(60)

    def drip(self, to: BaseHTTPRequestHandler) -> None:
        self._begin(to, "multipart/x-mixed-replace; boundary=frame")
        while not self.let_go.wait(0.02):
            to.wfile.write(b"x")

    def ends(self, to: BaseHTTPRequestHandler) -> None:
        self._parts(to, "frame", lambda data: _head(len(data)) + data, most=3)

    def page(self, to: BaseHTTPRequestHandler) -> None:
        self._whole(to, "text/html", b"<h1>Camera</h1>")

    def snapshot(self, to: BaseHTTPRequestHandler) -> None:
        self._whole(to, "image/jpeg", jpeg(len(self.asked)))

    def endless_snapshot(self, to: BaseHTTPRequestHandler) -> None:
        self._begin(to, "image/jpeg")
        while not self.let_go.is_set():
            to.wfile.write(bytes(1 << 20))

    def loop(self, to: BaseHTTPRequestHandler) -> None:
        self._redirect(to, "/loop")

    def moved(self, to: BaseHTTPRequestHandler) -> None:
        self._redirect(to, "/stream")

    def away(self, to: BaseHTTPRequestHandler) -> None:
        self._redirect(to, self.elsewhere)

    def file(self, to: BaseHTTPRequestHandler) -> None:
        self._redirect(to, "file:///etc/passwd")

    def endless_redirect(self, to: BaseHTTPRequestHandler) -> None:
        to.send_response(302)
        to.send_header("Location", "/stream")
        to.end_headers()
        while not self.let_go.is_set():
            to.wfile.write(bytes(1 << 20))

    def basic(self, to: BaseHTTPRequestHandler) -> None:
        said = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if to.headers.get("Authorization") == f"Basic {said}":
            self.stream(to)
        else:
            self._refuse(to, 'Basic realm="camera"')

    def digest(self, to: BaseHTTPRequestHandler) -> None:
        said = dict(re.findall(r'(\w+)="?([^",]+)', to.headers.get("Authorization", "")))
        first = _md5(f"{USER}:camera:{PASSWORD}")
        last = _md5(f"GET:{to.path}")
        middle = [NONCE, said.get("nc"), said.get("cnonce"), "auth"]
        if said.get("response") == _md5(":".join(map(str, [first, *middle, last]))):
            self.stream(to)
        else:
            self._refuse(to, f'Digest realm="camera", qop="auth", nonce="{NONCE}"')

    def odd_login(self, to: BaseHTTPRequestHandler) -> None:
        self._refuse(to, "Digest what")

    def _refuse(self, to: BaseHTTPRequestHandler, how: str) -> None:
        to.send_response(401)
        to.send_header("WWW-Authenticate", how)
        to.send_header("Content-Length", "0")
        to.end_headers()

    def _redirect(self, to: BaseHTTPRequestHandler, where: str) -> None:
        to.send_response(302)
        to.send_header("Location", where)
        to.send_header("Content-Length", "0")
        to.end_headers()

    def _whole(self, to: BaseHTTPRequestHandler, kind: str, body: bytes) -> None:
        to.send_response(200)
        to.send_header("Content-Type", kind)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def _begin(self, to: BaseHTTPRequestHandler, kind: str) -> None:
        to.send_response(200)
        to.send_header("Content-Type", kind)
        to.end_headers()

    def _parts(
        self,
        to: BaseHTTPRequestHandler,
        boundary: str,
        part: Callable[[bytes], bytes],
        line: str | None = None,
        most: int | None = None,
    ) -> None:
        self._begin(to, f"multipart/x-mixed-replace; boundary={boundary}")
        for number in itertools.islice(itertools.count(), most):
            to.wfile.write(f"--{line or boundary}".encode() + part(jpeg(number)) + b"\r\n")
            if self.let_go.wait(self.pause):
                return


def _head(length: int | None) -> bytes:
    said = b"" if length is None else b"Content-length: %d\r\n" % length
    return b"\r\nContent-Type: image/jpeg\r\n" + said + b"\r\n"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
