"""Whatever is sent to a route, the answer is an answer: never a 500, every error a problem."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from house import NODE, NOON, Folder, running, sign_in

from ingest.services.journal import _events
from ingest.store import state
from ingest.store.engine import reading
from linli.ids import uuid7

NEVER_ENDING, PROBLEM = "/api/v1/stream", "application/problem+json"
PATHS = (
    "+", "#", "$SYS", "a\0b", "a\nb", "../../etc/passwd", "%2e%2e%2f", "..\\..", "电梯", "A",
    "-a", "a" * 33, "a" * 5000, "{{7*7}}", "<img onerror=x>", "' OR 1=1 --", "9" * 30, "-1",
)  # fmt: skip
QUERIES = ("", "\0", "x" * 5000, "-1", "9" * 30, "电梯", "NaN", "1e999", "{}", "' OR 1=1 --")
BODIES: tuple[bytes, ...] = (
    b"", b"null", b"[]", b"{}", b'"x"', b"1e999", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}",
    b'{"why": "\\ud800", "name": {"a": 1}, "ends": "9999-12-31T23:59:59-14:00"}',
    b'{"a":' * 500 + b"1" + b"}" * 500,
    json.dumps({"x" * 5000: ["y"] * 1000}).encode(),
)  # fmt: skip


KINDS = ("application/json", "text/plain", "image/jpeg")
T = TypeVar("T")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = Folder(tmp_path_factory.mktemp("house"))
    with running(folder, raises=False) as client:
        client.headers.update(sign_in(client, "boss"))
        yield client
    folder.close()


def operations(client: TestClient) -> list[tuple[str, str, dict]]:
    return [
        (method, path, one)
        for path, ones in client.app.openapi()["paths"].items()
        for method, one in ones.items()
        if path != NEVER_ENDING and not path.endswith(("/login", "/logout"))
    ]


def some(values: Sequence[T], start: int, number: int) -> list[T]:
    """Return a few of them, others each time: all together would take minutes."""
    return [values[(start + index) % len(values)] for index in range(number)]


def good(path: str) -> str:
    values = {
        "node": NODE,
        "edge": NODE,
        "version": "1",
        "evidence": uuid7(NOON),
        "plan": uuid7(NOON),
    }
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", values.get(name, "x"))
    return path


def check(client: TestClient, method: str, path: str, **more: object) -> int:
    answer = client.request(method, path, **more)  # type: ignore[arg-type]
    assert answer.status_code < 500, (method, path[:200], more, answer.text)
    assert "Traceback" not in answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == PROBLEM, (method, path[:200], answer.text)
        assert answer.json()["status"] == answer.status_code
        assert len(answer.content) < 20_000, "an error repeats no more than a little of what came"
    return answer.status_code


def test_paths_that_no_id_looks_like(client: TestClient) -> None:
    tried = 0
    for method, path, _ in operations(client):
        if "{" not in path:
            continue
        for bad in some(PATHS, tried, 4):
            parts = [quote(bad, safe="") if p.startswith("{") else p for p in path.split("/")]
            check(client, method, "/".join(parts))
            tried += 1
    assert tried > 4 * len(PATHS)


def test_parameters_of_every_wrong_kind(client: TestClient) -> None:
    tried = 0
    for method, path, one in operations(client):
        names = [p["name"] for p in one.get("parameters", ()) if p["in"] == "query"]
        for name in names:
            for bad in some(QUERIES, tried, 2):
                check(client, method, good(path), params={name: bad})
                tried += 1
    assert tried > 4 * len(QUERIES)


def test_bodies_of_every_wrong_kind(client: TestClient) -> None:
    tried = 0
    for method, path, _ in operations(client):
        if method == "get":
            continue
        for bad in some(BODIES, tried, 4):
            kind = some(KINDS, tried // len(BODIES), 1)[0]
            check(client, method, good(path), content=bad, headers={"Content-Type": kind})
            tried += 1
    assert tried > 4 * len(BODIES)


# Lists that cannot grow long: one of a team or person, 32 channels, at most 62 days, the last
# fifty, the last twenty pictures of a trial; charts have an end.
BOUNDED = {
    "/api/v1/accounts",
    "/api/v1/tokens",
    "/api/v1/screens",
    "/api/v1/joins",
    "/api/v1/joined",
    "/api/v1/series",
    "/api/v1/statistics/worse",
    "/api/v1/drills",
    "/api/v1/health/findings",
    "/api/v1/duty/rosters",
    "/api/v1/waste/bins",
    "/api/v1/notifications/channels",
    "/api/v1/duty/contacts",
    "/api/v1/duty/ladders",
    "/api/v1/duty/rosters/{name}/turns",
    "/api/v1/devices/{node}/{device}/commands",
    "/api/v1/devices/{node}/{device}/trials",
    "/api/v1/registry/edges/{edge}/config/versions/{version}/changes",
}


def test_every_list_has_a_cursor(client: TestClient) -> None:
    schemas = client.app.openapi()["components"]["schemas"]
    without = set()
    for method, path, one in operations(client):
        shown = one["responses"].get("200", {}).get("content", {}).get("application/json", {})
        kind = shown.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if method != "get" or "items" not in schemas.get(kind, {}).get("properties", {}):
            continue
        names = {p["name"] for p in one.get("parameters", ())}
        if not names & {"cursor", "after"}:
            without.add(path)
    assert without <= BOUNDED, without


@pytest.mark.parametrize("path", ["/api/v1/devices", "/api/v1/nodes", "/api/v1/registry/places"])
def test_a_list_is_walked_to_its_end(client: TestClient, path: str) -> None:
    whole = client.get(path).json()["items"]
    seen: list = []
    cursor = None
    while True:
        page = client.get(path, params={"limit": 1} | ({"cursor": cursor} if cursor else {}))
        seen += page.json()["items"]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert seen == whole
    assert len(whole) >= 1
    assert check(client, "get", f"{path}?cursor=no%2Fsuch") in (200, 400)


def test_events_of_a_node_are_found_by_an_index(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    query = _events(state.event, 0, None, NODE).limit(10)
    text = str(query.compile(folder.state, compile_kwargs={"literal_binds": True}))
    with reading(folder.state) as connection:
        plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {text}")).all()
    folder.close()
    assert any("ix_event_node (node=? AND id>?)" in str(row) for row in plan), plan
    assert not any("SCAN" in str(row) or "TEMP B-TREE" in str(row) for row in plan), plan
