"""An ingest with its pages, and the browser of whoever arranges things there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from house import PASSWORDS, Folder

from dashboards.web import mount
from ingest.app import create_app


def folder(path: Path) -> Iterator[Folder]:
    made = Folder(path)
    yield made
    made.close()


def client(folder: Folder) -> Iterator[TestClient]:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as made:
        made.headers["accept-language"] = "en"
        yield made


def sign_in(client: TestClient, name: str) -> str:
    """Sign in by the form; return the token that forms carry."""
    client.cookies.clear()
    form = {"name": name, "password": PASSWORDS[name][1], "next": "/settings/password"}
    found = re.search(
        r'<meta name="csrf" content="([^"]+)">', client.post("/login", data=form).text
    )
    assert found is not None
    return found.group(1)


def said(answer: Any) -> str:
    """Return a page as text, its entities resolved and its white space even."""
    return re.sub(r"\s+", " ", unescape(answer.text))
