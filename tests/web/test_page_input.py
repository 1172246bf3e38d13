"""Whatever an address of a page says, the answer is a page: never a 500."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

from arranging import sign_in
from fastapi.openapi.utils import get_openapi
from fastapi.testclient import TestClient
from house import NOON, Folder

from dashboards.web.mount import mount
from ingest.app import create_app
from linli.ids import uuid7

HUGE = ("9" * 30,)
TEXTS = ("\0", "９")
NAMES = {"kind": "ladder", "what": "person", "deed": "acknowledge", "tried": "acknowledge"}
ENDLESS = {"/live", "/wall/live"}


def test_no_address_breaks_a_page(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    pages = next(one.app for one in app.router.routes if getattr(one, "name", "") == "pages")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a page that GET and HEAD share
        paths = get_openapi(title="pages", version="1", routes=pages.routes)["paths"]
    asked, bad = 0, []
    with TestClient(app, base_url="http://linli.test", raise_server_exceptions=False) as client:
        form = {"csrf_token": sign_in(client, "boss"), "tag": "x"}
        for path, methods in paths.items():
            for method, one in methods.items() if path not in ENDLESS else ():
                for name, where, value in odd(one.get("parameters", [])):
                    values = {**NAMES, name: value} if where == "path" else NAMES
                    address = re.sub(
                        r"\{(\w+)(:path)?\}",
                        lambda found, given=values: given.get(found[1], uuid7(NOON)),
                        path,
                    )
                    query = {name: value} if where == "query" else {}
                    answer = client.request(
                        method, address, params=query, data=form, follow_redirects=False
                    )
                    asked += 1
                    if answer.status_code >= 500:
                        bad.append((method, path, name, value[:3], answer.status_code))
    folder.close()
    assert not bad
    assert asked > 60


def odd(parameters: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return names, places and values of what each parameter does not expect."""
    return [
        (one["name"], one["in"], value)
        for one in parameters
        if one["in"] in {"path", "query"}
        for value in (HUGE if "integer" in str(one["schema"]) else TEXTS)
        if one["in"] == "query" or value in HUGE
    ]
