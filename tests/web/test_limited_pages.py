"""The pages of somebody who is limited to some areas: they open, and tell of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import NOON, Folder

from dashboards.web.mount import mount
from ingest.accounts import book
from ingest.app import create_app
from ingest.store.engine import writing

WORD = "a rather long evening"


@pytest.mark.parametrize(("area", "knows"), [("b03", True), ("b04", False)])
def test_pages_of_somebody_who_is_limited_to_an_area(
    tmp_path: Path, area: str, knows: bool
) -> None:
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        book.add_account(connection, "li", "duty", NOON, WORD, areas={area})
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    folder.put_event(folder.event())
    with TestClient(app, base_url="http://linli.test") as client:
        client.post("/login", data={"name": "li", "password": WORD}, follow_redirects=False)
        for _ in range(500):
            app.state.house.wake()
            stats = client.get("/api/v1/stats").json()
            if stats["behind"].get("incidents", 1) == 0:
                break
        for path in ("/", "/devices", "/duty", "/incidents", "/wall", "/m", "/trends", "/report"):
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
        assert ("1 号电梯" in client.get("/devices").text) is knows
        assert ("/incidents/0" in client.get("/").text) is knows
    folder.close()
