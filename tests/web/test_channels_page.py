"""The page of channels: how each does, a test with the provider's words, what messages say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from house import PASSWORDS, Folder, sign_in
from phones import phone
from providers import Provider
from served import served

from dashboards.web import mount
from dashboards.web.channels import ADDRESSES, TYPES
from dashboards.web.notices import WebWording
from ingest.app import create_app
from ingest.notify import outbox
from ingest.notify.contact import Contact
from ingest.notify.message import Failed, Sent
from ingest.notify.note import Note
from ingest.notify_settings import AnyChannel, Notify, WecomBotSettings
from ingest.store.engine import writing
from linli.cli.main import command

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")


class Office:
    """An ingest with one group bot, and the browser of its administrator."""

    def __init__(self, folder: Folder, provider: Provider, client: TestClient) -> None:
        self.folder, self.provider, self.client = folder, provider, client

    def sign_in(self, name: str) -> None:
        self.client.post(
            "/login", data={"name": name, "password": PASSWORDS[name][1]}, follow_redirects=False
        )

    def page(self, path: str = "/channels") -> str:
        return re.sub(r"\s+", " ", self.client.get(path).text)

    def test(self, name: str = "group", **fields: str) -> Any:
        found = re.search(
            r'name="csrf" content="([^"]+)"', self.client.get("/settings/password").text
        )
        assert found is not None
        form = {"address": "KEY", "csrf_token": found.group(1), **fields}
        return self.client.post(f"/channels/{name}/test", data=form)

    def ended(self, outcome: Sent | Failed) -> None:
        """Let one notification end so."""
        now = self.folder.clock.now()
        contact = Contact(owner_type="team", owner="gate", channel="group", address="KEY")
        note = Note(
            incident="i",
            call=int(now.timestamp()),
            kind="call",
            owner="team:gate",
            created=now,
            next_at=now + timedelta(days=1),
            urgency=0,
            contacts=(contact,),
        )
        with writing(self.folder.state) as connection:
            outbox.add(connection, [note])
            kept = outbox.of_key(connection, note.key)
            assert kept is not None
            if isinstance(outcome, Sent):
                outbox.sent(connection, kept, outcome, now)
            else:
                outbox.bury(connection, kept, "refused", outcome, now)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Provider({"errcode": 0}) as provider:
        folder = Folder(tmp_path)
        bot = WecomBotSettings(name="group", url=f"{provider.url}send")
        notify = Notify(channels=(bot,))
        folder.settings = msgspec.structs.replace(folder.settings, notify=notify)
        app = create_app(folder.settings, clock=folder.clock, wording=WebWording())
        mount(app, app.state.services, site="春晖", zone="Asia/Shanghai", clock=folder.clock)
        with TestClient(app, base_url="http://linli.test") as client:
            client.headers["accept-language"] = "en"
            made = Office(folder, provider, client)
            made.sign_in("boss")
            yield made
        folder.close()


def test_every_type_of_channel_has_words() -> None:
    types = {str(one.__struct_config__.tag) for one in AnyChannel.__args__}
    assert set(TYPES) == set(ADDRESSES) == types


def test_what_was_heard_last_is_how_it_does(office: Office) -> None:
    assert "Not heard of yet" in office.page()
    office.ended(Sent())
    page = office.page()
    assert "WeCom group bot" in page
    assert '<article class="unit unit-ok"' in page
    office.folder.clock.advance(60)
    office.ended(Failed(code="93000", words="<b>invalid</b> webhook url", advice="never"))
    page = office.page()
    assert '<article class="unit unit-down"' in page
    assert "The provider said: &lt;b&gt;invalid&lt;/b&gt; webhook url <code>93000</code>" in page
    assert "<dt>Given up</dt><dd>1</dd>" in page
    office.folder.clock.advance(60)
    office.ended(Sent())
    assert "The provider said" not in office.page()


def test_a_test_message_is_sent_and_the_answer_shown(office: Office) -> None:
    answer = office.test()
    assert "The provider took the test message" in answer.text
    assert "测试消息" in office.provider.asked[0]["fields"]["markdown"]["content"]
    office.provider.say({"errcode": 40058, "errmsg": "content exceeds its limit"})
    answer = office.test(language="en")
    assert "content exceeds its limit" in answer.text
    assert "40058" in answer.text
    assert "Test · " in office.provider.asked[1]["fields"]["markdown"]["content"]
    assert "KEY" not in answer.text
    assert office.test("none").status_code == 404
    assert office.test(address="").status_code == 400
    assert office.test(csrf_token="guess").status_code == 403
    assert len(office.provider.asked) == 2


def test_only_administrators_see_and_try_channels(office: Office) -> None:
    assert 'href="/channels"' in office.page("/duty")
    office.client.cookies.clear()
    office.sign_in("wang")
    assert office.client.get("/channels").status_code == 403
    assert 'href="/channels"' not in office.page("/duty")
    assert office.test().status_code == 403
    assert office.provider.asked == []


def test_what_messages_say_is_shown_in_both_languages(office: Office) -> None:
    page = office.page()
    assert "【紧急】#12 电动自行车进电梯 · 3 号楼 1 号电梯" in page
    assert "[Critical] #12 E-bike in the lift · Building 3 Lift 1" in page
    assert "Being handled · E-bike" in page
    headers = sign_in(office.client, "wang")
    path = "/api/v1/notifications/text"
    found = office.client.get(path, params={"kind": "resolved", "language": "en"}, headers=headers)
    assert found.json()["title"].startswith("[Critical] #12 Resolved · E-bike in the lift")
    assert "By: 王芳" in found.json()["lines"]
    assert office.client.get(path, params={"incident": "none"}).status_code == 404
    assert office.client.get(path, params={"kind": "none"}).status_code == 422
    config = office.folder.path / "ingest.toml"
    config.write_text(f'data = "."\n[site]\nid = "c001"\nlabel = "x"\n{office.folder.toml}')
    arguments = ["ingest", "notify", "text", "--language", "en", "--config", str(config)]
    said = CliRunner().invoke(command, arguments)
    assert said.exit_code == 0, said.output
    assert "Please: go to the lift" in said.output


def test_the_page_behind_a_link_speaks_the_language_of_the_message(tmp_path: Path) -> None:
    with phone(Folder(tmp_path)) as there:
        token = there.minted("person:li")
        assert "I take it" in there.client.get(f"/i/{token}").text
        now = there.folder.clock.now()
        token = there._links.token(there.of, "person:li", now, "zh")
        assert "我来处理" in there.client.get(f"/i/{token}").text
        assert "I take it" in there.client.get(f"/i/{token}?lang=en").text
        there.client.post("/language", data={"language": "en", "next": "/"})
        assert "I take it" in there.client.get(f"/i/{token}").text


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium")
@pytest.mark.parametrize(
    ("width", "scheme"), [(360, "light"), pytest.param(1280, "dark", marks=pytest.mark.full)]
)
def test_it_fits_old_phones_and_wide_screens(office: Office, width: int, scheme: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    office.ended(Failed(code="93000", words="invalid webhook url " * 9, advice="never"))
    with served(office.client.app) as server, playwright.sync_playwright() as driver:  # type: ignore[arg-type]
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": 640}, locale="zh-CN", color_scheme=scheme
        )
        page = context.new_page()
        page.goto(f"{server.url}/login")
        page.fill("input[name=name]", "boss")
        page.fill("input[name=password]", PASSWORDS["boss"][1])
        page.click("main button[type=submit]")
        page.goto(f"{server.url}/channels")
        page.click("main summary")
        page.fill("input[name=address]", "KEY")
        page.click("text=现在发送")
        page.wait_for_selector("text=服务商已接收测试消息")
        assert page.locator("main").evaluate("one => one.scrollWidth <= one.clientWidth")
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / f"channels-{width}.png"), full_page=True)
        browser.close()
