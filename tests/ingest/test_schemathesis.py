"""Requests made from our own OpenAPI document, right ones and wrong ones: no answer is a 500."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from house import Folder, running, sign_in
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.errors import SerializationNotPossible

ENDLESS = {"/api/v1/stream"}
AWAY = {"/api/v1/login", "/api/v1/logout"}
"""They would end the session that asks the rest."""
EXAMPLES = 3
NOT_MADE = (SerializationNotPossible, Unsatisfiable)
"""Bodies of TOML and MessagePack; routes where nothing can be wrong."""
PROBLEM = "application/problem+json"
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = Folder(tmp_path_factory.mktemp("house"))
    with running(folder, raises=False) as client:
        client.headers.update(sign_in(client, "boss"))
        yield client
    folder.close()


def send(client: TestClient, case: Any) -> None:
    """Send what was made; fail for a 500, and for an error that is no problem document."""
    made = case.as_transport_kwargs(base_url="http://linli.test")
    given = {one: made[one] for one in ("params", "json", "data", "cookies") if made.get(one)}
    if isinstance(given.get("data"), bytes | str):
        given["content"] = given.pop("data")
    headers = {
        name: value
        for name, value in (made.get("headers") or {}).items()
        if name.lower() not in {"cookie", "x-csrf-token", "authorization"}
    }
    try:
        request = client.build_request(case.method, made["url"], headers=headers, **given)
    except (TypeError, ValueError, UnicodeError):
        return  # what no client can send
    answer = client.send(request)
    said = (case.method, made["url"], answer.status_code, answer.text[:300])
    assert answer.status_code < 500 or answer.status_code == 503, said
    if answer.status_code >= 400 and answer.status_code != 503:
        assert answer.headers["content-type"] == PROBLEM, said


def walk(client: TestClient, mode: GenerationMode, *, every: int) -> int:
    """Ask one operation of so many; return how many requests were made."""
    document = json.loads(client.get("/api/v1/openapi.json").text)
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    tried = 0
    for operation in [one for one in found if one.path not in ENDLESS | AWAY][::every]:

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=SLOW,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            send(client, case)

        with contextlib.suppress(*NOT_MADE):
            ask()
    return tried


MODES = pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"]
)


@MODES
def test_some_requests_from_the_document_are_no_500(
    client: TestClient, mode: GenerationMode
) -> None:
    assert walk(client, mode, every=16) > 10


@pytest.mark.full
@pytest.mark.timeout(900)
@MODES
def test_no_request_from_the_document_is_a_500(client: TestClient, mode: GenerationMode) -> None:
    assert walk(client, mode, every=1) > 300
