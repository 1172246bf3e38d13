"""The pages as a browser without script gets them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace as changed
from neighbourhood import PASSWORD, SITE, Neighbourhood
from ordinary_day import cameras, furnish

from dashboards.web import desk as desk_page
from dashboards.web.desk import Desk
from dashboards.web.live import View
from dashboards.web.live_pages import renderer
from ingest.accounts.account import Viewer
from ingest.chain.judge import Why
from ingest.influx.book import InfluxStatus
from linli.clock import ManualClock
from linli.errors import StoreError

EVIL = "<img src=x onerror=alert(1)>\"'{{7*7}}"
Page = Callable[[str], str]


@pytest.fixture
def place() -> Neighbourhood:
    made = Neighbourhood()
    furnish(made)
    return made


def browser(place: Neighbourhood, name: str | None = "王芳", prefix: str = "") -> TestClient:
    client = TestClient(
        place.app(),
        base_url=f"http://linli.test{prefix}",
        root_path=prefix,
        follow_redirects=False,
    )
    client.headers["accept-language"] = "en"
    if name is not None:
        answer = client.post(
            "/login", data={"name": name, "password": PASSWORD}, follow_redirects=False
        )
        assert answer.status_code == 303
    return client


def csrf(client: TestClient) -> str:
    found = re.search(
        r'<meta name="csrf" content="([^"]+)">', client.get("/settings/password").text
    )
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize(
    "path",
    ["/", "/incidents", "/incidents/x", "/incidents/x/picture", "/devices", "/live?page=desk"],
)
def test_every_page_asks_to_sign_in(place: Neighbourhood, path: str) -> None:
    answer = browser(place, None).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


def test_sign_in_goes_back_to_where_one_was(place: Neighbourhood) -> None:
    client = browser(place, None)
    to = client.get("/devices").headers["location"]
    assert to == "/login?next=%2Fdevices"
    form = {"name": "王芳", "password": PASSWORD, "next": "/devices"}
    answer = client.post("/login", data=form)
    assert answer.headers["location"] == "/devices"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/login").status_code == 303


@pytest.mark.parametrize(
    "evil",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\n"],
)
def test_sign_in_never_leads_elsewhere(place: Neighbourhood, evil: str) -> None:
    form = {"name": "王芳", "password": PASSWORD, "next": evil}
    assert browser(place, None).post("/login", data=form).headers["location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("王芳", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_wrong_sign_in_says_one_thing(place: Neighbourhood, name: str, password: str) -> None:
    answer = browser(place, None).post(
        "/login", data={"name": name, "password": password}, follow_redirects=False
    )
    assert answer.status_code == 401
    assert "Name or password is wrong" in answer.text
    assert "set-cookie" not in answer.headers


def test_sign_out(place: Neighbourhood) -> None:
    client = browser(place)
    assert client.post("/logout", data={"csrf_token": "guess"}).status_code == 403
    assert client.get("/").status_code == 200
    assert client.post("/logout", data={"csrf_token": csrf(client)}).status_code == 303
    assert client.get("/").status_code == 303
    assert place.people.sessions == {}


def test_the_desk_puts_first_what_is_urgent(place: Neighbourhood) -> None:
    text = browser(place).get("/").text
    words = re.findall(r'<article class="card card-(\w+) card-([\w-]+)"', text)
    assert [severity for severity, state in words if state == "open"] == [
        "critical",
        "high",
        "medium",
        "medium",
        "low",
    ]
    assert [state for _, state in words] == ["open"] * 5 + ["acknowledged"] + ["resolved"] * 3
    assert "Cleared, not acknowledged" in text
    assert "3 times" in text
    assert "Picture on its way" in text
    assert "Picture withheld" in text
    assert 'data-open-count="5"' in text
    assert SITE in text


def test_a_page_is_packed_for_who_can_unpack_it() -> None:
    place = Neighbourhood(ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC)))
    furnish(place)
    client = browser(place)
    packed, plain = client.get("/"), client.get("/", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["vary"]
    assert packed.text == plain.text


def test_no_open_incident_is_said_in_words() -> None:
    assert "All quiet" in browser(Neighbourhood()).get("/").text


def test_more_than_fits_is_paged(place: Neighbourhood) -> None:
    for _ in range(30):
        place.happen(severity="low")
    client = browser(place)
    desk = client.get("/").text
    assert "Show 5 more that wait<" in desk
    more = re.search(r'href="(/incidents\?group=waiting&amp;cursor=\d+)"', desk)
    assert more is not None
    text = client.get(more.group(1).replace("&amp;", "&")).text
    assert text.count("<article") == 5


def test_the_first_page_of_a_list_is_live(place: Neighbourhood) -> None:
    for _ in range(31):
        place.happen()
    client = browser(place)
    first = client.get("/incidents?group=waiting").text
    assert "page=incidents&amp;subject=waiting" in first
    assert 'sse-swap="incidents"' in first
    more = re.search(r'href="(/incidents\?group=waiting&amp;cursor=\d+)"', first)
    assert more is not None
    second = client.get(more[1].replace("&amp;", "&")).text
    assert "subject=" not in second
    assert 'sse-swap="incidents"' not in second


def test_a_live_list_brings_what_happens(place: Neighbourhood) -> None:
    desk = Desk(place.services(), ZoneInfo("Asia/Shanghai"), place.clock)
    viewer = Viewer(account="a", name="a", role="duty")
    view = View("incidents", "waiting", "duty", "en", "", frozenset())
    incident = place.happen(event="ebike-in-elevator", label="ebike")
    fragments = renderer(desk)(view, viewer)
    assert set(fragments) == {"alarms", "chain", "incidents"}
    assert f'data-key="{incident}"' in fragments["incidents"]
    assert "E-bike in the lift" in fragments["incidents"]
    assert set(renderer(desk)(replace(view, subject=""), viewer)) == {"alarms", "chain"}


def test_one_incident(place: Neighbourhood) -> None:
    incident = next(iter(place.book.rows))
    text = browser(place).get(f"/incidents/{incident}").text
    assert "E-bike staying in the watched area" in text
    assert '<rect class="box-line" x="290" y="300" width="140" height="580"/>' in text
    assert "Door held open: done" in text
    assert "Seen by the system" in text
    assert "87 %" in text
    tokens = text.count('name="csrf_token" value="csrf-')
    # All forms but that of the language carry the token.
    assert tokens == text.count('<form method="post"') + text.count("<form class=") - 1


def test_a_long_history_shows_its_newest_steps(
    place: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = next(iter(place.book.rows))
    client, older = browser(place), "Older steps are not shown here."
    assert older not in client.get(f"/incidents/{incident}").text
    monkeypatch.setattr(desk_page, "HISTORY_SHOWN", 1)
    there = place.services().incidents
    there.acknowledge(Viewer(account="a", name="a", role="duty"), incident, place.clock.now())
    text = client.get(f"/incidents/{incident}").text
    assert older in text
    assert text.count('<li class="step ') == 1
    assert '<li class="step step-acknowledged">' in text


def test_the_picture_is_reached_by_a_short_address(place: Neighbourhood) -> None:
    incident = next(iter(place.book.rows))
    client = browser(place)
    answer = client.get(f"/incidents/{incident}/picture")
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    assert client.get(answer.headers["location"]).headers["content-type"] == "image/jpeg"
    coming = place.happen(picture="coming")
    assert client.get(f"/incidents/{coming}/picture").status_code == 404
    assert client.get(f"/incidents/{place.happen(picture='withheld')}/picture").status_code == 404
    gone = place.happen(picture="gone")
    assert client.get(f"/incidents/{gone}/picture").status_code == 410
    assert "time of keeping is over" in client.get(f"/incidents/{gone}").text


@pytest.mark.parametrize(
    ("deed", "state"),
    [("acknowledge", "acknowledged"), ("resolve", "resolved"), ("false-alarm", "resolved")],
)
def test_deeds_without_script(place: Neighbourhood, deed: str, state: str) -> None:
    incident = next(iter(place.book.rows))
    client = browser(place)
    path, before = f"/incidents/{incident}/{deed}", len(place.book.rows[incident])
    for form in ({}, {"csrf_token": "guess"}):
        assert client.post(path, data=form).status_code == 403
    assert len(place.book.rows[incident]) == before
    token = csrf(client)
    crossed = {"sec-fetch-site": "cross-site"}
    assert client.post(path, data={"csrf_token": token}, headers=crossed).status_code == 403
    foreign = {"origin": "http://evil.example"}
    assert client.post(path, data={"csrf_token": token}, headers=foreign).status_code == 403
    assert len(place.book.rows[incident]) == before
    answer = client.post(path, data={"csrf_token": token})
    assert answer.headers["location"] == f"/incidents/{incident}"
    assert place.book.rows[incident][-1].actor == "user:王芳"
    assert f'chip-state">{state[:5].capitalize()}' in client.get(answer.headers["location"]).text


def test_deeds_by_script_answer_with_fragments(place: Neighbourhood) -> None:
    incident = next(iter(place.book.rows))
    client = browser(place)
    headers = {"HX-Request": "true", "X-CSRF-Token": csrf(client)}
    card = client.post(f"/incidents/{incident}/acknowledge", data={"view": "card"}, headers=headers)
    assert card.status_code == 200
    assert card.text.strip().startswith("<article")
    assert "card-acknowledged" in card.text
    assert "csrf-" not in card.text
    gone = client.post("/incidents/none/acknowledge", headers=headers)
    assert gone.status_code == 404
    assert gone.headers["content-type"].startswith("text/plain")
    client.cookies.clear()
    out = client.post(f"/incidents/{incident}/resolve", headers=headers)
    assert out.status_code == 401
    assert out.headers["hx-redirect"] == "/login"


def test_getting_never_changes_anything(place: Neighbourhood) -> None:
    client = browser(place)
    incident = next(iter(place.book.rows))
    before = {key: list(rows) for key, rows in place.book.rows.items()}
    paths = ["/", "/?lang=zh-CN", "/incidents", f"/incidents/{incident}", "/devices", "/login"]
    paths += [f"/incidents/{incident}/{deed}" for deed in ("acknowledge", "resolve")]
    paths += ["/logout", "/language?language=en", "/devices/c001-n07/cam-new/confirm"]
    for path in paths:
        answer = client.get(path)
        assert "set-cookie" not in answer.headers, path
    assert place.book.rows == before
    assert client.get("/").status_code == 200
    assert place.estate.devices[0].standing == "discovered"


def test_a_viewer_sees_no_buttons_and_is_refused(place: Neighbourhood) -> None:
    incident = next(iter(place.book.rows))
    client = browser(place, "guest")
    assert "/acknowledge" not in client.get("/").text
    assert "You may look at this" in client.get(f"/incidents/{incident}").text
    answer = client.post(f"/incidents/{incident}/resolve", data={"csrf_token": csrf(client)})
    assert answer.status_code == 403
    assert "You may not do this" in answer.text
    assert place.doorman.noted == [("guest", f"POST /incidents/{incident}/resolve")]


def test_devices_and_confirming(place: Neighbourhood) -> None:
    client = browser(place)
    text = client.get("/devices").text
    for word in ("Working", "Impaired", "Down", "Not heard", "connection refused", "20.4 GB"):
        assert word in text or word == "Not heard"
    assert text.count("<polyline") == 4
    path = "/devices/c001-n07/cam-new/confirm"
    assert client.post(path).status_code == 403
    form = {"csrf_token": csrf(client), "label": "大厅"}
    sent = client.post(path, data=form).headers["location"]
    assert sent.startswith("/devices/c001-n07/cam-new?since=")
    assert place.estate.devices[0].label == "大厅"
    assert "Discovered" not in client.get("/devices").text


def test_a_box_that_is_not_read_is_shown_with_how_much(place: Neighbourhood) -> None:
    client = browser(place)
    assert "Not read" not in client.get("/devices").text
    place.estate.boxes[0] = changed(place.estate.boxes[0], turned_away=4711, health="degraded")
    text = client.get("/devices").text
    assert "Not read, too many or invalid" in text
    assert "<dd>4711</dd>" in text
    assert "未读取" in client.get("/devices?lang=zh-CN").text


def test_the_copy_in_influxdb_is_shown_where_there_is_one(place: Neighbourhood) -> None:
    client = browser(place)
    assert "InfluxDB" not in client.get("/devices").text
    words = "answers 401: <b>unauthorized</b>"
    place.copy.found = InfluxStatus(
        state="refused",
        since=place.clock.now(),
        words=words,
        behind=40,
        transitions_behind=2,
        parked=3,
    )
    text = client.get("/devices").text
    for word in ("someone must look", "&lt;b&gt;unauthorized", "<dd>42</dd>", "<dd>3</dd>"):
        assert word in text
    assert "无法写入" in client.get("/devices?lang=zh-CN").text
    place.copy.found = InfluxStatus(state="waiting", words="cannot be reached")
    assert "everything is kept" in client.get("/devices").text


def test_what_others_wrote_stays_text(place: Neighbourhood) -> None:
    for index, view in enumerate(cameras(place.clock.now())):
        fields = {name: getattr(view, name) for name in view.__struct_fields__}
        place.estate.devices[index] = type(view)(**{**fields, "label": EVIL, "detail": EVIL})
    incident = place.happen(label=EVIL, event=EVIL, zone=EVIL, area=EVIL)
    place.step(incident, "resolved", actor=f"user:{EVIL}")
    client = browser(place)
    for path in ("/", f"/incidents/{incident}", "/devices"):
        text = client.get(path).text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text, path
        assert "<img src=x" not in text, path
        assert "{{7*7}}" in text, path
    wrong = client.post("/login", data={"name": EVIL, "password": "x"})
    assert "<img src=x" not in wrong.text


def test_no_page_carries_script_or_style_of_its_own(place: Neighbourhood) -> None:
    client = browser(place)
    incident = next(iter(place.book.rows))
    for path in ("/", f"/incidents/{incident}", "/devices", "/incidents", "/nothing-here"):
        text = client.get(path).text
        assert re.findall(r"<script(?![^>]* src=\"/)", text) == [], path
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == [], path
        assert re.findall(r"(?:src|href|action)=\"(?!/|#)", text) == [], path


def test_language_is_chinese_unless_asked_otherwise(place: Neighbourhood) -> None:
    client = browser(place)
    del client.headers["accept-language"]
    client.headers["accept-language"] = "fr"
    assert '<html lang="zh-CN"' in client.get("/").text
    assert '<html lang="en"' in client.get("/?lang=en").text
    assert '<html lang="zh-CN"' in client.get("/").text
    answer = client.post("/language", data={"language": "en", "next": "/devices"})
    assert answer.headers["location"] == "/devices"
    assert '<html lang="en"' in client.get("/").text
    assert client.post("/language", data={"language": "xx"}).status_code == 400


def test_behind_a_prefix_that_a_proxy_cuts(place: Neighbourhood) -> None:
    client = browser(place, prefix="/estate")
    script = re.search(r'src="/estate(/static/dist/app\.js[^"]*)"', client.get("/").text)
    assert script is not None
    assert client.get(script.group(1)).status_code == 200
    client.cookies.clear()
    assert client.get("/devices").headers["location"] == "/estate/login?next=%2Fdevices"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing-here", 404, "This page does not exist"),
        ("/incidents/none", 404, "This page does not exist"),
        ("/incidents?group=odd", 404, "This page does not exist"),
        ("/static/../pages.py", 404, "This page does not exist"),
    ],
)
def test_refusals_are_pages(place: Neighbourhood, path: str, status: int, words: str) -> None:
    answer = browser(place).get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert "Traceback" not in answer.text


def test_a_fault_of_ours_is_a_plain_page(
    place: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    client = browser(place)
    monkeypatch.setattr(place.estate, "estate", broken)
    quiet = TestClient(client.app, base_url=client.base_url, raise_server_exceptions=False)
    quiet.cookies.update(client.cookies)
    answer = quiet.get("/devices", headers={"accept-language": "zh"})
    assert answer.status_code == 500
    assert "系统出错了" in answer.text
    assert "secret detail" not in answer.text


def test_a_store_that_does_not_answer_is_said_so(
    place: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreError("disk is full", where="/secret/place")

    client = browser(place)
    for part, name in ((place.chain, "stats"), (place.people, "session")):
        monkeypatch.setattr(part, name, away)
        answer = client.get("/")
        assert answer.status_code == 503
        assert "busy at the moment" in answer.text
        assert "secret" not in answer.text


def test_files_with_a_version_are_asked_for_once(place: Neighbourhood) -> None:
    client = browser(place, None)
    link = re.search(r'src="(/static/dist/app\.js\?v=\w+)"', client.get("/login").text)
    assert link is not None
    answer = client.get(link.group(1))
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert "cache-control" not in client.get("/static/dist/app.js?v=old").headers


@pytest.mark.parametrize(
    ("why", "english", "chinese"),
    [
        ("works", "Every report has come through", "上报通道正常，无一丢失"),
        ("starting", "Just started: the next probe will tell", "刚刚启动，等待下一次探测"),
        ("silent", "The chain is broken: nothing comes through", "上报通道中断：消息到不了这里"),
        ("lost", "The chain loses messages", "上报通道有消息丢失"),
    ],
)
def test_the_tile_of_the_chain_is_green_only_when_probes_come_through(
    place: Neighbourhood, why: Why, english: str, chinese: str
) -> None:
    place.probes.why = why
    client = browser(place)
    for language, text in (("en", english), ("zh", chinese)):
        page = client.get("/", headers={"accept-language": language}).text
        assert text in page
        assert ("Every report has come through" in page) == (text == english and why == "works")
    page = client.get("/", headers={"accept-language": "en"}).text
    assert "of 1,440 probes, 0 lost" in page
    assert "s for 95 % of probes</dt><dd>0.05" in page
    assert ("13 minutes ago" in page) == (why in {"silent", "lost"})
