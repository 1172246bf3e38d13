"""The settings: silences, made and ended on a page, as people with a phone without script do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import arranging
import pytest
from arranging import said, sign_in
from fastapi.testclient import TestClient
from house import AREA, Folder

from dashboards.web import fields

SILENCES = "/settings/silences"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    yield from arranging.folder(tmp_path)


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    yield from arranging.client(folder)


def until(folder: Folder, client: TestClient, path: str, text: str) -> str:
    """Return a page once the consumer has made something of what was put."""
    for _ in range(2000):
        client.app.state.house.wake()  # type: ignore[attr-defined]
        page = said(client.get(path))
        if text in page:
            return page
    raise AssertionError(f"{text!r} never came: {page}")


def test_silence_of_a_building_hides_what_goes_on_there_until_it_is_ended(
    client: TestClient, folder: Folder
) -> None:
    token = sign_in(client, "wang")
    folder.put_event(folder.event())
    until(folder, client, "/", "Person staying")
    form = {
        "csrf_token": token,
        "matchers.areas": AREA,
        "lasting": "2h",
        "why": "lift <maintenance>",
    }
    page = said(client.post(f"{SILENCES}/new", data=form))
    assert "Holds now" in page
    assert "Places: Building 3" in page
    assert "lift <maintenance> " in page
    assert "1 incident is silent because of it" in page
    again = said(client.post(f"{SILENCES}/new", data=form))
    assert again.count("Holds now") == 1, "a button pressed twice makes one"
    path = re.search(r'action="(/settings/silences/[^"]+/end)"', again)
    assert path is not None
    assert client.post(path[1], data={"csrf_token": "guess"}).status_code == 403
    done = said(client.post(path[1], data={"csrf_token": token}))
    assert "Nothing is silent" in done
    assert "lift <maintenance>" in said(client.get(SILENCES, params={"phase": "past"}))


def test_what_a_silence_would_have_kept_quiet_is_shown_before_it_is_made(
    client: TestClient, folder: Folder
) -> None:
    token = sign_in(client, "wang")
    folder.put_event(folder.event())
    until(folder, client, "/", "Person staying")
    folder.clock.advance(60)
    form = {"csrf_token": token, "matchers.areas": AREA, "lasting": "2h", "why": "", "do": "try"}
    page = said(client.post(f"{SILENCES}/new", data=form))
    assert "1 call would have been kept quiet" in page
    assert re.search(r'<a href="/incidents/[^"]+">Person staying', page)
    assert "at every hour of these days" in page
    assert "checked" in page, "what was ticked stays"
    assert "Nothing is silent: " in said(client.get(SILENCES))
    night = {**form, "weekly.start": "00:00", "weekly.end": "00:01"}
    page = said(client.post(f"{SILENCES}/new", data=night))
    assert "Nobody was called for anything that it covers" in page
    assert client.post(f"{SILENCES}/new", data={**form, "matchers.areas": ""}).status_code == 422


def test_planned_silence_of_some_hours_on_the_clocks_of_the_site(client: TestClient) -> None:
    token = sign_in(client, "wang")
    form = {
        "csrf_token": token,
        "matchers.events": "ebike-in-elevator",
        "lasting": "",
        "starts": "2026-03-05T08:00",
        "ends": "2026-03-20T08:00",
        "weekly.start": "12:30",
        "weekly.end": "14:00",
        "why": "noise",
    }
    page = said(client.post(f"{SILENCES}/new", data=form))
    assert "Planned or outside its hours" in page
    assert "from Mar 5 08:00:00 until Mar 20 08:00:00" in page
    assert "Sunday 12:30–14:00" in page


@pytest.mark.parametrize(
    ("changes", "name", "text"),
    [
        ({"matchers.areas": ""}, "matchers-areas", "Tick what is covered"),
        ({"why": " "}, "why", "Say why"),
        ({"lasting": "", "ends": "yesterday"}, "ends", "It must end after it starts"),
        ({"lasting": "", "ends": "2026-09-01T08:00"}, "ends", "at most 31 days later"),
        ({"weekly.start": "22:30"}, "weekly-start", "Give both times of day"),
    ],
    ids=("nothing", "no-reason", "no-end", "too-long", "half-a-week"),
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    client: TestClient, changes: dict[str, str], name: str, text: str
) -> None:
    token = sign_in(client, "wang")
    form = {"csrf_token": token, "matchers.areas": AREA, "lasting": "2h", "why": "typed"}
    answer = client.post(f"{SILENCES}/new", data={**form, **changes})
    assert answer.status_code == 422
    page = said(answer)
    assert f'id="f-{name}-wrong">{text}' in page.replace('"> ', '">') or text in page
    assert f'aria-describedby="f-{name}-wrong"' in page
    assert ('value="typed"' in page) == ("why" not in changes)
    assert "Nothing is silent" in said(client.get(SILENCES))


def test_only_staff_make_silences(client: TestClient) -> None:
    assert "/login" in str(client.get(SILENCES).url)
    token = sign_in(client, "guest")
    assert "New silence" not in client.get(SILENCES).text
    assert client.get(f"{SILENCES}/new").status_code == 403
    form = {"csrf_token": token, "matchers.areas": AREA, "lasting": "2h", "why": "x"}
    assert client.post(f"{SILENCES}/new", data=form).status_code == 403
    assert "/channels" not in client.get("/settings").text


def test_lengths_of_time_are_shown_in_the_unit_they_are_whole_in() -> None:
    shown = {"90s": ("90", "s"), "1h30min": ("90", "min"), "48h": ("2", "d"), "x": ("x", "min")}
    spec = fields.Spec("for", "for", "span")
    for text, wanted in shown.items():
        (field,) = fields.shown([spec], {"for": text}, str, {})
        assert (field.value, field.unit) == wanted
