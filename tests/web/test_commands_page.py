"""Asking a device for something, from its page and from an incident, and what came of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient
from house import ADMIN, CAMERA, NODE, PASSWORDS, Folder
from ledger import Ledger, event
from served import served

from dashboards.web import mount
from dashboards.web.commands import offers
from dashboards.web.words import Words
from ingest.app import create_app
from ingest.commands import book
from ingest.commands.command import Command, CommandState
from ingest.services import Services
from ingest.settings import Commands, Mqtt
from ingest.store.engine import writing
from ingest.store.registry import device
from linli.broker import free_port

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")
PATH = f"/devices/{NODE}/{CAMERA}"
ONCE = "019536a1-0000-7000-8000-000000000001"
TWICE = "019536a1-0000-7000-8000-000000000002"


class Web:
    """An ingest that may send commands, to a broker that is not there; and a browser."""

    def __init__(self, folder: Folder, client: TestClient) -> None:
        self.folder, self.client = folder, client
        self.services: Services = client.app.state.services  # type: ignore[attr-defined]

    def sign_in(self, name: str) -> None:
        self.client.cookies.clear()
        self.client.post(
            "/login", data={"name": name, "password": PASSWORDS[name][1]}, follow_redirects=False
        )

    def page(self, path: str = PATH) -> str:
        return re.sub(r"\s+", " ", self.client.get(path).text)

    def ask(self, command: str = "door-hold", *, status: int = 200, **form: object) -> str:
        found = re.search(
            r'name="csrf" content="([^"]+)"', self.client.get("/settings/password").text
        )
        assert found is not None
        given = {"reason": "e-bike", "once": ONCE, "csrf_token": found.group(1), **form}
        answer = self.client.post(f"{PATH}/commands/{command}", data=given)
        assert answer.status_code == status, answer.text
        return re.sub(r"\s+", " ", answer.text)

    def sent(self) -> tuple[Command, ...]:
        return self.services.commands.of_device(ADMIN, (NODE, CAMERA))

    def now_stands(
        self, state: CommandState, code: str | None = None, name: str | None = None
    ) -> None:
        """Let what was asked last stand so."""
        found = next(one for one in self.sent() if name in (None, one.name))
        with writing(self.folder.state) as connection:
            one = msgspec.structs.replace(found, state=state, code=code)
            book.keep(connection, one)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    folder = Folder(tmp_path)
    folder.settings = msgspec.structs.replace(
        folder.settings, mqtt=Mqtt(port=free_port()), commands=Commands(enabled=True)
    )
    app = create_app(folder.settings, clock=folder.clock)
    mount(app, app.state.services, site="春晖", zone="Asia/Shanghai", clock=folder.clock)
    # No lifespan: nobody takes commands to a broker, so that they stand as the test puts them.
    app.state.house.claim()
    client = TestClient(app, base_url="http://linli.test")
    client.headers["accept-language"] = "en"
    made = Web(folder, client)
    made.sign_in("wang")
    yield made
    folder.close()


def test_a_door_is_held_with_a_reason_and_its_course_is_shown(web: Web) -> None:
    page = web.page()
    for words in ("Hold the door open…", "Let the door go…", "Speak there…"):
        assert words in page
    assert "Set the lamp" not in page
    page = web.ask(seconds=60)
    assert "Hold the door open · 60 s" in page
    assert "Sent, no answer yet" in page
    assert '<meta http-equiv="refresh" content="2">' in page
    assert "wang: e-bike" in page
    assert web.sent()[0].data.holds == 60
    for state, words in (
        ("accepted", "Accepted, being done"),
        ("done", "Done"),
        ("timeout", "No answer. It may have been done; look before you ask again"),
    ):
        web.now_stands(state)  # type: ignore[arg-type]
        page = web.page()
        assert words in page
        assert ('http-equiv="refresh"' in page) == (state == "accepted")
    web.now_stands("failed", "no-broker")
    assert "Not done · The way to the devices is down" in web.page()
    web.now_stands("failed", "<b>")
    assert "Not done · &lt;b&gt;" in web.page()


def test_the_same_form_twice_is_one_command_and_meant_anew_later(web: Web) -> None:
    web.ask(seconds=10)
    web.ask(seconds=10)
    assert len(web.sent()) == 1
    web.folder.clock.advance(1)
    web.ask("door-release")  # another deed of the same page is another command
    assert [one.name for one in web.sent()] == ["door-release", "door-hold"]
    web.folder.clock.advance(timedelta(seconds=11).total_seconds())
    web.ask(seconds=10)
    assert len(web.sent()) == 3


def test_a_lamp_is_set_with_an_end_and_given_back(web: Web) -> None:
    words = Words("en", {})
    light, back = offers("lamp", words)
    assert [pick.field for pick in light.picks] == ["level", "lasts"]
    assert [one.words for one in light.picks[1].choices] == ["2 h", "30 min", "8 h", "24 h"]
    assert (back.name, back.picks) == ("lamp-release", ())
    assert "Set the lamp · 30% · 30 min" in web.ask("lamp-set", level=0.3, lasts=1800)
    web.ask("lamp-set", status=400, level=0.3, lasts=59, once=TWICE)
    assert "Let the lamp go by itself again" in web.ask("lamp-release", once=TWICE)


def test_from_an_incident_it_is_kept_with_it(web: Web) -> None:
    incident = Ledger(web.folder.state).tell(event(node=NODE, device=CAMERA))[0]
    page = web.page(f"/incidents/{incident.id}")
    assert "What can be done there from here" in page
    page = web.ask("voice-prompt", prompt="ebike-out", incident=incident.id)
    assert f"No. {incident.number}" in page  # back where it was asked
    assert web.sent()[0].incident == incident.id
    page = web.page(f"/incidents/{incident.id}")
    assert "Speak there · Please take the e-bike out of the lift: Sent, no answer yet" in page
    web.services.incidents.resolve(ADMIN, incident.id, web.folder.clock.now())
    page = web.page(f"/incidents/{incident.id}")
    assert "Speak there · " in page
    assert "Hold the door open…" not in page


def test_what_is_refused_says_so(web: Web) -> None:
    web.ask(status=400, reason="")
    web.ask(status=400, seconds=61)
    web.ask(status=400)  # a hold needs its seconds
    web.ask(status=400, once="x", seconds=1)
    web.ask("format-disk", status=400)
    web.ask(status=404, seconds=1, incident="none")
    web.ask(status=403, seconds=1, csrf_token="guess")
    for number in range(4):
        web.ask(seconds=30, once=ONCE[:-1] + str(number))
        web.folder.clock.advance(1)
    web.ask(status=409, seconds=30, once=ONCE[:-1] + "9")
    assert len(web.sent()) == 4
    assert web.client.get(f"/devices/{NODE}/none").status_code == 404


def test_who_may_only_look_sees_no_button_and_sends_nothing(web: Web) -> None:
    web.sign_in("guest")
    assert "Hold the door open…" not in web.page()
    web.ask(status=403, seconds=1)
    assert web.sent() == ()


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium")
@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_an_old_phone_with_a_long_name(web: Web, scheme: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with writing(web.folder.state) as connection:
        connection.execute(
            device.update().values(label="东区三号楼地下二层非机动车库第十二充电区" * 2)
        )
    incident = Ledger(web.folder.state).tell(event(node=NODE, device=CAMERA))[0]
    web.ask("voice-prompt", prompt="ebike-out", incident=incident.id, reason="电动车进了电梯" * 8)
    with served(web.client.app) as server, playwright.sync_playwright() as driver:  # type: ignore[arg-type]
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 360, "height": 640}, locale="zh-CN", color_scheme=scheme
        )
        page = context.new_page()
        page.goto(f"{server.url}/login")
        page.fill("input[name=name]", "wang")
        page.fill("input[name=password]", PASSWORDS["wang"][1])
        page.click("main button[type=submit]")
        for path in (f"/incidents/{incident.id}", PATH):
            page.goto(f"{server.url}{path}")
            page.click("text=保持开门")
            assert page.locator("main").evaluate("one => one.scrollWidth <= one.clientWidth")
            if SHOTS:
                name = f"commands-{path.split('/')[1]}-{scheme}.png"
                page.screenshot(path=str(Path(SHOTS) / name), full_page=True)
        page.fill("details[open] input[name=reason]", "电动车")
        page.click("details[open] button")
        page.wait_for_selector("text=保持开门 · 10 秒")
        assert "door-hold" in [one.name for one in web.sent()]
        page.click("text=放行关门")
        page.fill("details[open] input[name=reason]", "已经推出")
        for one in web.sent():
            web.now_stands("done", name=one.name)
        page.wait_for_selector("#asked .health-ok")
        # What was being written meanwhile is still there.
        assert page.input_value("details[open] input[name=reason]") == "已经推出"
        browser.close()


def test_where_commands_are_off_the_page_says_so(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    app = create_app(folder.settings, clock=folder.clock)
    mount(app, app.state.services, site="春晖", zone="Asia/Shanghai", clock=folder.clock)
    app.state.house.claim()
    made = Web(folder, TestClient(app, base_url="http://linli.test"))
    made.client.headers["accept-language"] = "en"
    made.sign_in("wang")
    assert "Commands to devices are off here." in made.page()
    made.ask(status=409, seconds=1)
    folder.close()
