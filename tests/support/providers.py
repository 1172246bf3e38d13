"""Fake providers on a real port: they answer as the real ones do, HTTP 200 with an error inside."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


class Provider:
    """Keeps what it was asked; `answers` come first, each once: (status, headers, fields).

    Without `forms` it is asked in bytes that are no JSON.
    """

    def __init__(self, usual: dict[str, Any], *, forms: bool = True) -> None:
        self.forms = forms
        self.usual = usual
        self.answers: list[tuple[int, dict[str, str], dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        self.held: threading.Event | None = None
        """While it is not set, whoever asks waits for the answer."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def say(self, fields: dict[str, Any], status: int = 200, **headers: str) -> None:
        """Answer so once."""
        kept = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, kept, fields))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                provider.asked.append(
                    {
                        "path": parts.path,
                        "query": dict(parse_qsl(parts.query)),
                        "raw_query": parts.query,
                        "headers": {k.lower(): v for k, v in self.headers.items()},
                        "raw": raw,
                        "fields": json.loads(raw) if raw and provider.forms else {},
                    }
                )
                if provider.held is not None:
                    provider.held.wait(30)
                status, headers, fields = (
                    provider.answers.pop(0) if provider.answers else (200, {}, provider.usual)
                )
                body = json.dumps(fields).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                return

        return Handler
