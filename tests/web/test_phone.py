"""The page behind a link: what its recipient can do, and what nobody else can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from house import ADMIN, Folder, jpeg
from phones import PERSON, TEAM, Phone, phone

from dashboards.web.notices import WebWording
from ingest.notify.links import PersonalLinks
from ingest.refusal import NotAllowed
from ingest.store.engine import reading


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    with phone(Folder(tmp_path)) as made:
        yield made


def test_one_tap_sees_and_takes_it(there: Phone) -> None:
    shown = there.get()
    assert shown.status_code == 200
    assert "李伟" in shown.text
    assert "I take it" in shown.text
    assert "1 号电梯" in shown.text
    assert shown.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in shown.headers
    after = there.post("acknowledge")
    assert "I am there" in after.text
    assert "李伟" in after.text
    incident = there.incident()
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", "person:li")
    with reading(there.folder.reader("state")) as connection:
        told = WebWording().story(connection, incident, "zh")
    assert told.by == "李伟"  # messages to others name the person, not an id
    assert "I am there" not in there.post("start").text
    assert there.incident().state == "in-progress"
    assert "Thank you" in there.post("resolve").text
    assert there.incident().resolved_by == "person:li"
    steps = there.services.incidents.newest(ADMIN, there.of, 100)
    assert [row.step for row in steps if row.actor == "person:li"] == [
        "acknowledged",
        "started",
        "resolved",
    ]


def test_previews_change_nothing_and_looks_are_written(there: Phone) -> None:
    for _ in range(3):
        assert there.client.head(there.path).status_code == 200
        assert there.get().status_code == 200
    assert there.incident().state == "open"
    looks = there.services.links.looks(ADMIN, there.of)
    assert [one.recipient for one in looks] == ["person:li"] * 3  # HEAD shows nothing
    for deed in ("acknowledge", "start", "resolve"):
        answer = there.client.get(f"{there.path}/{deed}")
        assert answer.status_code in {404, 405}
    assert there.incident().state == "open"


def test_twice_is_once(there: Phone) -> None:
    there.post("acknowledge")
    there.post("acknowledge")
    rows = there.services.incidents.newest(ADMIN, there.of, 100)
    assert [row.step for row in rows].count("acknowledged") == 1


def test_a_team_s_link_acts_as_the_team(there: Phone) -> None:
    there.use(TEAM)
    assert "保安队" in there.get().text
    there.post("acknowledge")
    assert there.incident().acknowledged_by == "team:security"


def test_it_opens_nothing_else(there: Phone) -> None:
    for path in ("/", "/incidents", f"/incidents/{there.of}", "/devices"):
        assert there.client.get(path).status_code == 303
    assert there.client.get(f"/api/v1/incidents/{there.of}").status_code == 401
    other = f"{there.path}/false-alarm"
    assert there.client.post(other).status_code == 400
    assert there.incident().label is None


def test_another_site_cannot_press_the_button(there: Phone) -> None:
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = there.client.post(f"{there.path}/acknowledge", headers=headers)
        assert answer.status_code == 403
    assert there.incident().state == "open"


def test_an_ended_link_says_what_to_do(there: Phone) -> None:
    there.folder.clock.advance(timedelta(hours=23, minutes=59).total_seconds())
    assert there.get().status_code == 200
    there.folder.clock.advance(61)
    assert there.get().status_code == 410
    assert "Open the newest message" in there.get().text
    assert there.post("acknowledge").status_code == 410
    assert there.incident().state == "open"


@pytest.mark.parametrize("token", ["x", "A" * 60, "%00", "A" * 4000, "链接"])
def test_no_link_of_ours_says_so(there: Phone, token: str) -> None:
    there.path = f"/i/{token}"
    assert there.get().status_code == 404
    assert there.client.post(f"/i/{token}/acknowledge").status_code == 404


def test_a_link_of_another_key_is_none(there: Phone, tmp_path: Path) -> None:
    class Forged(PersonalLinks):
        def __init__(self) -> None:
            self._base, self._key = "http://x", lambda: b"guessed"  # type: ignore[assignment]

    there.path = f"/i/{Forged().token(there.of, PERSON, there.folder.clock.now())}"
    assert there.get().status_code == 404


def test_links_can_be_called_back(there: Phone) -> None:
    clock, links = there.folder.clock, there.services.links
    with pytest.raises(NotAllowed):
        links.stop(links.open(there.token, clock.now()).viewer, there.of, clock.now())
    links.stop(ADMIN, there.of, clock.now(), TEAM)
    assert there.get().status_code == 200
    links.stop(ADMIN, there.of, clock.now(), PERSON)
    assert there.get().status_code == 410
    clock.advance(2)
    there.use(PERSON)
    assert there.get().status_code == 200
    links.stop(ADMIN, there.of, clock.now())
    assert there.post("acknowledge").status_code == 410


def test_who_works_here_no_more_sees_nothing(there: Phone) -> None:
    there.person(retired=True)
    assert there.get().status_code == 410


def test_the_picture_opens_for_a_minute_and_each_look_is_written(there: Phone) -> None:
    name = there.hand_in(jpeg())
    found = re.search(r'src="(/i/[^"]+)"', there.get().text)
    assert found is not None
    address = found.group(1).replace("&amp;", "&")
    answer = there.client.get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    looks = there.services.evidence.record(ADMIN, name, there.folder.clock.now()).looks
    assert [one.account for one in looks] == ["person:li"]
    other = address.replace(there.token, there.minted(TEAM))
    assert there.client.get(other).status_code == 404  # made for somebody else
    assert there.client.get(address.replace("signature=", "signature=0")).status_code == 404
    there.folder.clock.advance(61)
    assert there.client.get(address).status_code == 410


def test_names_of_any_length_and_kind_stay_text(there: Phone) -> None:
    there.person(label="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in there.get().text
    assert "&lt;img src=x" in there.get().text
