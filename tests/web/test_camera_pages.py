"""Zones, scenarios and versions of a camera as pages, on a real registry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from house import ADMIN, AREA, CAMERA, NODE, NOON, PASSWORDS, SITE, Folder

from dashboards.web import mount, picture_form
from dashboards.web.scenario_form import form_of
from dashboards.web.words import Words
from ingest import registry
from ingest.app import create_app
from ingest.registry import configs
from ingest.registry.watched import Watched
from ingest.services.registry import NOTHING_YET
from ingest.store.engine import writing
from linli.errors import InputError
from linli.events import ConfigReport, Reading, ReportData

EXAMPLE = Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json"
PAGE = f"/cameras/{NODE}/{CAMERA}"
DOOR = {"id": "door", "points": [[0.2, 0.4], [0.8, 0.4], [0.8, 1.0], [0.2, 1.0]]}
WINDOW = {"points": [[0.123456, 0.1], [0.2, 0.1], [0.2, 0.2]]}
LINE = {"id": "in", "points": [[0.1, 0.5], [0.9, 0.5]], "empty_at": "03:00"}
EBIKE = {"pack": "ebike-in-elevator", "zone": "door"}
CROWD = {"pack": "crowding", "zone": "door", "shadow": True}
ENGLISH = Words("en", {})


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        yield client


@pytest.fixture
def token(client: TestClient) -> str:
    document = json.loads(EXAMPLE.read_text())
    document["camera"][0].update(zone=[DOOR], line=[LINE], mask=[WINDOW], scenario=[EBIKE, CROWD])
    given = {"why": "first", "document": document}
    client.app.state.services.configs.put(ADMIN, NODE, given, seen=NOTHING_YET, now=NOON)
    return sign_in(client, "boss")


def sign_in(client: TestClient, name: str) -> str:
    form = {"name": name, "password": PASSWORDS[name][1], "next": "/settings/password"}
    found = re.search(
        r'<meta name="csrf" content="([^"]+)">', client.post("/login", data=form).text
    )
    assert found is not None
    return found.group(1)


def kept(client: TestClient) -> Watched:
    return client.app.state.services.configs.watched(ADMIN, NODE, CAMERA).watched


def fields(page: str) -> dict[str, str]:
    """Return what a browser would send of the page's drawing, as it stands."""
    drawing = re.search(r"<form[^>]*data-drawing>(.*?)<noscript>", page, re.DOTALL)
    assert drawing is not None
    found = {}
    for tag in re.findall(r"<input[^>]*>", drawing[1]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[name[1]] = unescape(value[1]) if value else ""
    return found


NOTHING_NEW = "Nothing is new: the edge is to do just this already."


def test_what_is_not_touched_stays_to_the_last_digit(client: TestClient, token: str) -> None:
    page = client.get(f"{PAGE}/zones").text
    assert "Used by: E-bike in the lift, Crowd." in page
    assert 'points="20,40 80,40 80,100 20,100"' in page
    before = kept(client)
    done = client.post(f"{PAGE}/zones", data=fields(page))
    assert NOTHING_NEW in done.text
    assert kept(client) == before
    assert client.app.state.services.configs.state(ADMIN, NODE).wanted.version == 1


def test_zones_are_drawn_moved_named_turned_and_deleted(client: TestClient, token: str) -> None:
    sent = fields(client.get(f"{PAGE}/zones").text)
    sent |= {"label.0": "电梯门", "points.0": "21 40；80,40， 80 100 20 100%", "turn.1": "on"}
    sent |= {"gone.2": "on", "anchor.0": "center"}
    sent |= {"kind.7": "zone", "was.7": "", "label.7": "花园", "points.7": "0 0, 50 0, 50 50"}
    sent |= {"kind.8": "zone", "was.8": "", "label.8": "Bin store", "points.8": "0 0, 9 0, 9 9"}
    sent |= {"kind.9": "line", "was.9": "", "label.9": "", "points.9": ""}
    client.post(f"{PAGE}/zones", data=sent)
    now = kept(client)
    assert now.zone == (
        {
            "id": "door",
            "label": "电梯门",
            "anchor": "center",
            "points": [[0.21, 0.4], [0.8, 0.4], [0.8, 1], [0.2, 1]],
        },
        {"id": "zone-1", "label": "花园", "points": [[0, 0], [0.5, 0], [0.5, 0.5]]},
        {"id": "bin-store", "label": "Bin store", "points": [[0, 0], [0.09, 0], [0.09, 0.09]]},
    )
    assert now.line == ({**LINE, "points": [[0.9, 0.5], [0.1, 0.5]]},)
    assert now.mask == ()
    told = client.get(f"/edges/{NODE}/versions").text
    for text in (
        "Zone door",
        "drawn anew",
        "What people call it: as usual → 电梯门",
        "Privacy mask",
    ):
        assert text in told, text


def test_what_is_wrong_is_said_at_the_row_and_nothing_is_lost(
    client: TestClient, token: str
) -> None:
    sent = fields(client.get(f"{PAGE}/zones").text)
    answer = client.post(f"{PAGE}/zones", data=sent | {"points.0": "20 40, 130 40, x"})
    assert answer.status_code == 422
    assert "20 40, 130 40, x" in answer.text
    assert "Corners are pairs of numbers" in answer.text
    used = client.post(f"{PAGE}/zones", data=sent | {"gone.0": "on"})
    assert used.status_code == 422
    assert "watches zone" in used.text
    assert kept(client).zone == (DOOR,)


@pytest.mark.parametrize(
    ("points", "kind", "said"),
    [
        ("20 40, 130 40, 50 50", "zone", "between 0 and 100"),
        ("20 40, 30 40", "zone", "3 to 64 corners"),
        ("20 40, 30", "line", "two ends"),
        ("20 40, 20.4 40", "line", "too near"),
        ("1 1, 2 2, 3 3", "mask", "no area"),
        ("nan nan, 1 1, 2 0", "mask", "between 0 and 100"),
        ("1 1, " * 65, "zone", "3 to 64 corners"),
    ],
)
def test_shapes_that_are_none(points: str, kind: str, said: str) -> None:
    form = {"kind.0": kind, "was.0": "", "label.0": "", "points.0": points}
    (row,) = picture_form.shapes_in(form, ENGLISH)
    assert said in str(row.wrong)


def test_the_second_of_two_editors_is_told_and_keeps_what_they_drew(
    client: TestClient, token: str
) -> None:
    first = fields(client.get(f"{PAGE}/zones").text)
    client.post(f"{PAGE}/zones", data=first | {"label.0": "first"})
    late = client.post(f"{PAGE}/zones", data=first | {"label.0": "second"})
    assert late.status_code == 412
    assert "Somebody else saved meanwhile" in late.text
    assert 'value="second"' in late.text
    assert kept(client).zone[0]["label"] == "first"
    again = client.post(f"{PAGE}/zones", data=fields(late.text))
    assert again.status_code == 412, "sent again, it is still of the old version"


def test_who_may_not_arrange_and_what_has_no_document(client: TestClient, folder: Folder) -> None:
    guest = sign_in(client, "guest")
    for path in (f"{PAGE}/zones", f"{PAGE}/scenarios", f"/edges/{NODE}/versions"):
        assert client.get(path).status_code == 403, path
        assert client.post(path, data={"csrf_token": guest}).status_code in (403, 405), path
    client.cookies.clear()
    sign_in(client, "boss")
    assert "set up by a file on its edge box" in client.get(f"{PAGE}/zones").text
    assert client.get(f"/cameras/{NODE}/no-such/zones").status_code == 404
    assert client.post(f"{PAGE}/zones", data={"csrf_token": "x"}).status_code == 403


def change(client: TestClient, token: str, number: str, **given: Any) -> Any:
    page = client.get(f"{PAGE}/scenarios").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    usual = {"zone": "door", "severity": "critical", "mode": "on", "dwell": "1", "at_least": "1"}
    usual |= {"votes": "3", "of": "5", "gone_after": "3", "cooldown": "30", "doubt": "3"}
    sent = {"csrf_token": token, "version": version[1], "number": number, **usual, **given}
    return client.post(f"{PAGE}/scenarios", data=sent)


def test_a_scenario_is_set_and_what_is_usual_is_not_written_down(
    client: TestClient, token: str
) -> None:
    done = change(client, token, "0", dwell="2.5", mode="off", hours="1", begin="22:00", end="6:00")
    assert done.status_code == 422
    hours = {"hours": "1", "begin": "22:00", "end": "06:00", "day": ["mon", "sat"]}
    change(client, token, "0", dwell="2.5", mode="off", **hours)
    assert kept(client).scenario[0] == {
        **EBIKE,
        "dwell": 2.5,
        "off": True,
        "during": [{"from": "22:00", "to": "06:00", "days": ["mon", "sat"]}],
    }
    page = client.get(f"{PAGE}/scenarios").text
    assert "Off: it does not look" in page
    assert "Otherwise than usual here: How long it must stay (seconds) 2.5" in page
    change(client, token, "0", hours="1")
    assert kept(client).scenario[0] == EBIKE
    before = kept(client)
    assert NOTHING_NEW in change(client, token, "0", hours="1").text
    assert kept(client) == before
    assert "no longer off" in client.get(f"/edges/{NODE}/versions").text


def test_doubt_is_asked_only_where_a_door_is_held(client: TestClient, token: str) -> None:
    page = client.get(f"{PAGE}/scenarios").text
    assert 'aria-describedby="why-doubt-0"' in page
    assert "why-doubt-1" not in page, "nobody holds a door for a crowd"
    assert "why-doubt-new" in client.get(f"{PAGE}/scenarios?add=ebike-in-elevator").text
    assert "why-doubt-new" not in client.get(f"{PAGE}/scenarios?add=loitering").text
    change(client, token, "0", doubt="0")
    assert kept(client).scenario[0] == {**EBIKE, "doubt": 0.0}
    page = client.get(f"{PAGE}/scenarios").text
    assert "Otherwise than usual here: Doubt before the door is held (seconds) 0" in page
    change(client, token, "0", doubt="4.5")
    assert kept(client).scenario[0] == {**EBIKE, "doubt": 4.5}
    said = "Doubt before the door is held (seconds): 0 → 4.5"
    assert said in client.get(f"/edges/{NODE}/versions").text
    change(client, token, "0")
    assert kept(client).scenario[0] == EBIKE
    client.headers["accept-language"] = "zh-CN"
    chinese = client.get(f"{PAGE}/scenarios").text
    assert "留门前的怀疑（秒）" in chinese
    assert "不会让电梯门保持打开" in chinese


@pytest.mark.parametrize(("door", "asked"), [({"door": "lift-1"}, True), ({"door": None}, False)])
def test_a_scenario_of_ones_own_may_doubt_where_it_holds_a_door(
    door: dict[str, Any], asked: bool
) -> None:
    rule = {"event": "cart", "labels": ["cart"], "zone": "door", **door}
    names = [one.name for one in form_of(rule, "0", ENGLISH).fields]
    assert ("doubt" in names) is asked


def test_scenarios_come_on_trial_and_go(client: TestClient, token: str) -> None:
    asked = client.get(f"{PAGE}/scenarios", params={"add": "loitering"}).text
    assert "begin on trial" in asked
    new = {"pack": "loitering", "mode": "shadow", "severity": "low", "dwell": "300", "votes": "5"}
    new |= {"of": "10", "gone_after": "10", "cooldown": "600"}
    change(client, token, "new", **new)
    assert kept(client).scenario[2] == {"pack": "loitering", "zone": "door", "shadow": True}
    twice = change(client, token, "new", **new)
    assert twice.status_code == 422
    change(client, token, "2", mode="gone")
    assert kept(client).scenario == (EBIKE, CROWD)
    odd = change(client, token, "new", pack="no-such")
    assert odd.status_code == 422
    assert change(client, token, "99").status_code == 412


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dwell": "long"}, "A number is needed"),
        ({"votes": "2.5"}, "A whole number is needed"),
        ({"dwell": "-1"}, "A number &gt;= 0.0 is needed"),
        ({"votes": "9"}, "At most 5: it cannot be seen in more pictures than are looked at"),
        ({"gone_after": "0.2"}, "may be over after 0.4 seconds at the soonest"),
        ({"zone": "no-such"}, "There is no zone no-such"),
        ({"severity": "loud", "mode": "loud"}, "This is none of the known words"),
        ({"dwell": "nan"}, "A number is needed"),
        ({"doubt": ""}, "A number is needed"),
        ({"doubt": "61"}, "&lt;= 60"),
    ],
)
def test_what_no_edge_would_take_is_said_at_the_field(
    client: TestClient, token: str, given: dict[str, str], said: str
) -> None:
    answer = change(client, token, "0", **given)
    assert answer.status_code == 422
    assert said in answer.text
    assert kept(client).scenario == (EBIKE, CROWD)


# A sentence of a validator: three words of letters in a row. Names, ids and code are not that.
BARE = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}|Expected|Invalid")
WRONG = re.compile(r'<p class="wrong"[^>]*>(.*?)</p>', re.DOTALL)


def refused(answer: Any) -> list[str]:
    """Return the refusals of a page without what stands below them as code."""
    assert answer.status_code in {200, 400, 422}, answer.text
    found = [re.sub(r"<code.*?</code>", "", one) for one in WRONG.findall(answer.text)]
    assert found
    return found


@pytest.mark.parametrize(
    "given",
    [
        *({"dwell": text} for text in ("long", "-1", "nan", "3601")),
        *({"votes": text} for text in ("9", "2.5", "0", "51")),
        *({"at_least": text} for text in ("0", "101")),
        *({"gone_after": text} for text in ("0.01", "0.2", "601")),
        *({"cooldown": text} for text in ("-1", "86401")),
        *({"doubt": text} for text in ("", "61")),
        *({"zone": text} for text in ("", "no-such", "No Such")),
        {"severity": "loud"},
        *({"hours": "1", "begin": one, "end": "06:00", "day": "mon"} for one in ("", "x", "25:00")),
    ],
    ids=str,
)
def test_every_refusal_of_a_scenario_is_in_the_language_of_the_page(
    client: TestClient, token: str, given: dict[str, str]
) -> None:
    client.headers["accept-language"] = "zh-CN"
    for said in refused(change(client, token, "0", **given)):
        assert re.search("[\u4e00-\u9fff]", said), said
        assert not BARE.search(said), said


def test_refusals_of_drawings_and_old_versions_are_in_the_language_of_the_page(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.headers["accept-language"] = "zh-CN"
    sent = fields(client.get(f"{PAGE}/zones").text)
    crossed = sent | {"anchor.0": "feet"}
    (first, second) = refused(client.post(f"{PAGE}/zones", data=crossed))
    assert "其中" not in first
    assert not BARE.search(first + second)
    assert "Invalid enum value" in client.post(f"{PAGE}/zones", data=crossed).text, "as code"

    def other(document: dict[str, Any]) -> dict[str, Any]:
        raise InputError("unknown setting 'colour'", where="document: camera[0]")

    monkeypatch.setattr(configs, "checked", other)
    wish = {"csrf_token": token, "version": "1", "seen": "1"}
    (said,) = refused(client.post(f"/edges/{NODE}/versions/restore", data=wish))
    assert "没有设置项 colour" in said
    assert not BARE.search(said)


def test_what_it_found_stands_beside_it(client: TestClient, folder: Folder, token: str) -> None:
    page = client.get(f"{PAGE}/scenarios").text
    assert page.count("never tried") == 2
    folder.put_event(folder.event(name="ebike-in-elevator", label="ebike", severity="critical"))
    for _ in range(3):
        folder.put_readings(Reading(n="crowding", v=1, u="1", t=folder.clock.now()), group="shadow")
        folder.clock.advance(60)
    for _ in range(600):
        client.app.state.house.wake()
        page = client.get(f"{PAGE}/scenarios").text
        if "3 times" in page and "<dd>1</dd>" in page:
            break
    assert "3 times" in page
    assert "<dd>1</dd>" in page
    folder.clock.advance(8 * 86_400)
    sign_in(client, "boss")
    assert "0 times" in client.get(f"{PAGE}/scenarios").text


def test_what_the_edge_runs_is_said(client: TestClient, folder: Folder, token: str) -> None:
    def report(version: int, refused: int | None = None) -> str:
        said = ConfigReport(version=version, refused=refused, detail="no such class: ebike")
        data = ReportData(agent="0.1", uptime=5, rss=9, diskfree=8 << 30, config=said)
        with writing(folder.state) as connection:
            registry.keep_report(connection, registry.Origin(SITE, AREA, NODE), data, NOON)
        return client.get(f"{PAGE}/zones").text

    assert "it has not said what it runs" in client.get(f"{PAGE}/zones").text
    assert "it goes by its own file" in report(0)
    assert "The edge runs this, version 1" in report(1)
    told = report(0, 1)
    assert "The edge refused version 1" in told
    assert "no such class: ebike" in told


def test_an_old_version_comes_back(client: TestClient, token: str) -> None:
    sent = fields(client.get(f"{PAGE}/zones").text)
    client.post(f"{PAGE}/zones", data=sent | {"label.0": "changed"})
    wish = {"csrf_token": token, "version": "1", "seen": "1"}
    late = client.post(f"/edges/{NODE}/versions/restore", data=wish)
    assert late.status_code == 412
    back = client.post(f"/edges/{NODE}/versions/restore", data={**wish, "seen": "2"})
    assert "as version 1 was" in back.text
    assert "Back to version 1" in back.text
    assert kept(client).zone == (DOOR,)
