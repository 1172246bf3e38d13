"""The settings in a real browser without script, at the sizes of a phone, a desk and a wall."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import arranging
import pytest
from arranging import sign_in
from fastapi.testclient import TestClient
from house import PASSWORDS, Folder
from msgspec.structs import replace
from served import served

from ingest.notify_settings import Notify, WecomBotSettings
from ingest.store.journal import CLOCK
from linli.events import Reading

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium"),
]
SIZES = [(390, 844, "zh-CN", "light"), (1366, 768, "en-US", "dark"), (1920, 1080, "zh-CN", "light")]
SHIFT = {"shifts[0].begin": "20:00", "shifts[0].end": "08:00", "shifts[0].people": "li"}
PAGES = {
    "settings": "/settings",
    "silences": "/settings/silences",
    "silence": "/settings/silences/new",
    "rules": "/settings/rules",
    "rules-log": "/settings/rules/log",
    "rules-text": "/settings/rules/text",
    "rosters": "/settings/rosters",
    "roster": "/settings/rosters/night",
    "shifts": "/settings/papers/roster/night",
    "calls": "/settings/calls?event=ebike-in-elevator&severity=high&at=2026-03-03T03:00",
    "routes": "/settings/papers/routes/all",
    "ladder": "/settings/papers/ladder/usual",
    "deadlines": "/settings/papers/deadlines/all",
    "people": "/settings/people",
    "person": "/settings/people/person/li",
    "contacts": "/settings/papers/contacts/person:li",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    for made in arranging.folder(tmp_path):
        notify = Notify(channels=(WecomBotSettings(name="bot"),))
        made.settings = replace(made.settings, notify=notify)
        yield made


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    for made in arranging.client(folder):
        furnish(made, folder)
        yield made


def furnish(client: TestClient, folder: Folder) -> None:
    token = sign_in(client, "boss")
    for number in range(9):
        folder.put_readings(
            Reading(n="temperature", v=70 - 40 * (number % 2), u="Cel", t=folder.clock.now())
        )
        folder.clock.advance(60)
    folder.put(CLOCK, "tick", b"", device="")
    papers = "/settings/papers"
    for path, form in (
        ("/settings/people/team", {"id": "night", "label": "夜班"}),
        ("/settings/people/person", {"id": "li", "label": "李雷", "role": "duty", "team": "night"}),
        ("/settings/people/person", {"id": "wu", "label": "吴经理", "role": "manager"}),
        (f"{papers}/roster/night", SHIFT),
        (f"{papers}/routes/all", {"routes[0].team": "night"}),
        (f"{papers}/contacts/person:li", {"ways[0].channel": "bot", "ways[0].address": "KEY"}),
        ("/settings/silences/new", {"matchers.areas": "b03", "lasting": "2h", "why": "电梯维保"}),
    ):  # fmt: skip
        answer = client.post(path, data={"csrf_token": token, "tag": "", **form})
        assert answer.status_code == 200, answer.text


@pytest.mark.full
@pytest.mark.parametrize(
    ("width", "height", "language", "scheme"), SIZES, ids=("phone", "desk", "wall")
)
def test_a_rule_is_made_tried_and_saved_and_every_page_fits(
    client: TestClient, width: int, height: int, language: str, scheme: str
) -> None:
    with served(client.app) as server, playwright.sync_playwright() as driver:  # type: ignore[arg-type]
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=scheme,
            java_script_enabled=False,
        )
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)

        def look(name: str) -> None:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if SHOTS:
                page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}.png"), full_page=True)

        page.goto(f"{server.url}/login")
        page.fill("input[name=name]", "boss")
        page.fill("input[name=password]", PASSWORDS["boss"][1])
        page.click("main button[type=submit]")
        page.goto(f"{server.url}/settings/rules")
        page.click("details.sheet summary")
        page.click("a[href*='kind=threshold']")
        page.fill("#f-label", "车库太热")
        page.fill("#f-id", "hot")
        page.fill("#f-reading", "temperature")
        page.fill("#f-above", "hot")
        page.click("button[value='7']")
        assert page.locator("#f-above-wrong").count() == 1
        look("rule-wrong")
        page.fill("#f-above", "60")
        page.click("button[value='7']")
        assert page.locator("svg.bars rect").count() == 1
        look("rule-tried")
        page.click("button[value=save]")
        assert page.locator("#rule-hot").count() == 1
        for name, path in PAGES.items():
            page.goto(f"{server.url}{path}")
            assert page.locator("h1").count() == 1, name
            look(name)
        assert [one for one in troubles if "422" not in one] == []
        browser.close()
