"""What every answer carries and every request is held to, pages included."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.evidence.picture import PHOTO_BYTES

MOST_BODY = 2 * 1024 * 1024
_ROOM = 64 * 1024  # for what else is in a form
_WITH_FILES = {
    r"incidents/[^/]+/(note|photo)": PHOTO_BYTES,
    r"orders/[^/]+/(done|picture)": PHOTO_BYTES,
    r"floor-plans(/[^/]+)?": PHOTO_BYTES,
    r"evidence/[^/]+": PHOTO_BYTES,
    r"(?<!v1/)registry/import": PHOTO_BYTES,
    r"settings/rosters/[^/]+/import": PHOTO_BYTES,
    r"cameras/[^/]+/[^/]+/teach": 4 * PHOTO_BYTES,
}
"""Routes that take files, and how many bytes at most; who reads them may take less."""
_LARGER = tuple((re.compile(f"/({path})$"), most + _ROOM) for path, most in _WITH_FILES.items())

_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: under it browsers hide the origin of our own forms, which is what tells
    # them from another site's. Other sites learn nothing either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds the headers that keep a browser strict; nothing of the API is ever cached."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if "/api/" in scope["path"]:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_on)


def most_of(path: str) -> int:
    """Return how many bytes a request to this path may have."""
    return next((most for route, most in _LARGER if route.search(path)), MOST_BODY)


class BodyLimit:
    """Refuses a body that is too large before it is read, or as soon as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken, most = 0, most_of(scope["path"])
        said = Headers(scope=scope).get("content-length", "")
        too_large = said.isdecimal() and int(said) > most

        async def receive_on() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if too_large or taken > most:
                raise HTTPException(413, f"a request has at most {most} bytes")
            return message

        await self._app(scope, receive_on, send)


class Prefix:
    """Serves below the path that a proxy in front puts before ours, whether or not it cuts it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._prefix:
            path: str = scope["path"]
            if not (path == self._prefix or path.startswith(self._prefix + "/")):
                path = self._prefix + path
            scope = {**scope, "path": path, "root_path": self._prefix}
        await self._app(scope, receive, send)
