"""The pages on the ingest's own application: real services, real files, real consumers."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import NODE, PASSWORDS, Folder, snapshot

from dashboards.web import mount
from ingest.app import create_app
from linli.ids import uuid7


def wait_for(client: TestClient, path: str, words: str) -> str:
    for _ in range(200):
        text = client.get(path).text
        if words in text:
            return text
        threading.Event().wait(0.025)
    pytest.fail(f"{words!r} did not appear on {path}")


def test_from_the_journal_to_a_resolved_incident(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        assert client.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"
        assert "Sign in" in client.get("/").text
        name = "wang"
        client.post(
            "/login", data={"name": name, "password": PASSWORDS[name][1]}, follow_redirects=False
        )
        assert "All quiet" in client.get("/").text
        folder.put_event(
            folder.event(severity="high", snapshot=snapshot(uuid7(folder.clock.now())))
        )
        text = wait_for(client, "/", "Person staying in the watched area")
        assert "1 号电梯" in text
        assert "Picture on its way" in text
        path = re.search(r'href="(/incidents/[0-9a-f-]{36})"', text)
        assert path is not None
        token = re.search(r'name="csrf_token" value="([^"]+)"', text)
        assert token is not None
        for deed, words in (("acknowledge", "wang acknowledged it"), ("resolve", "wang resolved")):
            form = {"csrf_token": token.group(1)}
            assert words in client.post(f"{path.group(1)}/{deed}", data=form).text
        folder.put_description("cam-new", "5 号楼")
        found = wait_for(client, "/devices", "Discovered")
        assert f"/devices/{NODE}/cam-new/confirm" in found
        form = {"csrf_token": token.group(1), "label": "大厅"}
        shown = client.post(f"/devices/{NODE}/cam-new/confirm", data=form).text
        assert "大厅" in shown
        assert "Discovered" not in shown
        assert client.get("/").headers["content-security-policy"].startswith("default-src 'self'")
        signed_out = client.post("/logout", data={"csrf_token": token.group(1)})
        assert "Sign in" in signed_out.text
    folder.close()
