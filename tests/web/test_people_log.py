"""What was changed of people, on one page: roles, ways, tokens; who, from what to what, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import arranging
import pytest
from arranging import said, sign_in
from fastapi.testclient import TestClient

CHANGES = "/settings/people/changes"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    for folder in arranging.folder(tmp_path):
        yield from arranging.client(folder)


def test_every_change_of_people_is_told_with_before_after_and_reason(client: TestClient) -> None:
    token = sign_in(client, "boss")
    headers = {"X-CSRF-Token": token}
    api = "/api/v1"
    person = f"{api}/registry/people/li"
    li = {"label": "李静", "role": "duty", "phone": "13800138000"}
    made = client.put(person, json=li, headers={**headers, "If-None-Match": "*"})
    changed = {**li, "role": "manager", "phone": "13900139000"}
    etag = {"If-Match": made.headers["etag"]}
    assert client.put(person, json=changed, headers={**headers, **etag}).status_code == 200
    form = {"csrf_token": token, "role": "supervisor", "whole": "yes", "why": "covers for Chen"}
    client.post("/settings/access/accounts/wang", data=form)
    key = {"account": "wang", "label": "sheet", "scopes": ["see"], "days": 9}
    secret = client.post(f"{api}/tokens", json=key, headers=headers).json()["secret"]
    device = f"{api}/registry/devices/nothing"
    client.put(device, json={"label": "x"}, headers={**headers, "If-None-Match": "*"})

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said(client.get(CHANGES))))
    assert "Role: Property duty → Supervisor" in page
    assert "Closed: cannot sign in" not in page, "it is as it was"
    assert "Why : covers for Chen" in page or "Why: covers for Chen" in page
    assert re.search(r"boss changed in the registry 李静", page)
    assert "Role: " in page
    assert "Phone: ••• → •••" in page
    assert "138001" not in page
    assert "139001" not in page
    assert secret not in page
    assert "made an API token for wang" in page
    assert page.index("made an API token") < page.index("covers for Chen"), "the newest first"
    rows = client.get(f"{api}/audit", params={"act": "account-changed"}).json()["items"]
    assert rows[0]["detail"]["role"] == "duty > supervisor"
    assert rows[0]["detail"]["why"] == "covers for Chen"
    sign_in(client, "wang")
    assert client.get(CHANGES).status_code == 403


def test_whom_a_file_brings_in_or_changes_is_told_one_by_one(client: TestClient) -> None:
    headers = {"X-CSRF-Token": sign_in(client, "boss"), "Content-Type": "text/csv"}

    def bring(line: str) -> None:
        data = f"type,id,label,role,phone\n{line}\n".encode()
        path = "/api/v1/registry/import"
        seen = client.post(path, params={"dry_run": "true"}, content=data, headers=headers)
        tag = {"If-Match": seen.headers["etag"]}
        assert client.post(path, content=data, headers=headers | tag).status_code == 200

    bring("person,li,李静,duty,13800138000")
    bring("person,li,李静,manager,13900139000")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said(client.get(CHANGES))))
    assert "Role: On duty → " in page
    assert "Phone: ••• → •••" in page
    assert page.count("changed in the registry 李静") == 2
    rows = client.get("/api/v1/audit", params={"act": "registry-imported"}).json()["items"]
    assert len(rows) == 2, "the file itself too"
