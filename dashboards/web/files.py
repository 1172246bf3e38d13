"""Where the templates, catalogs and built assets are; the same in a checkout and a wheel."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from linli.errors import InputError

_HERE = Path(__file__).resolve().parent


def web_file(*parts: str) -> Path:
    """Return a file or folder of the pages. Raises InputError when it was never built."""
    path = _HERE.joinpath(*parts)
    if not path.exists():
        raise InputError(
            "a built file of the pages is missing",
            where=str(path),
            hint="Build it with: python scripts/hatch_build.py",
        )
    return path


@cache
def assets_version() -> str:
    """Return a short hash of scripts and styles: a page that is open reloads when it changes."""
    digest = hashlib.sha256()
    dist = web_file("static", "dist")
    for path in sorted((*dist.rglob("*.js"), *dist.rglob("*.css"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class Assets(StaticFiles):
    """Static files; what is asked for by version never changes and is asked for once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one request."""
        answer = await super().get_response(path, scope)
        if scope["query_string"] == f"v={assets_version()}".encode():
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
