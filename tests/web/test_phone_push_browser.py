"""Adding a phone in a real Chromium, and what its worker shows; only the push service is ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browsing import until
from house import ADMIN, Folder
from phones import Phone, phone
from providers import Provider
from pushes import Handset
from served import served

from ingest.notify_settings import Notify, WebPushSettings

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium"),
]
# The one thing that needs a network: Chromium would ask its maker's push service for an address.
SUBSCRIBE = """
PushManager.prototype.subscribe = async (asked) => {
  window.askedWith = { visible: asked.userVisibleOnly, bytes: asked.applicationServerKey.length };
  return { toJSON: () => (%s) };
};
"""
ACTIVE = "navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')"
SHOWN = """async () => {
  const ready = await navigator.serviceWorker.ready;
  for (let turn = 0; turn < 100; turn += 1) {
    const found = await ready.getNotifications();
    if (found.length) return found.map((one) => [one.title, one.body, one.tag, one.data.url]);
    await new Promise((then) => setTimeout(then, 50));
  }
  return [];
}"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    folder = Folder(tmp_path)
    channel = WebPushSettings(name="push", contact="mailto:a@example.com")
    notify = Notify(channels=(channel,), allow_networks=("127.0.0.0/8",))
    folder.settings = msgspec.structs.replace(folder.settings, notify=notify)
    with phone(folder) as made:
        yield made


def test_a_tap_adds_the_phone_and_its_worker_shows_what_comes(there: Phone) -> None:
    with (
        Provider({}, forms=False) as service,
        served(there.client.app) as server,  # type: ignore[arg-type]  # TestClient's is wider
        playwright.sync_playwright() as driver,
    ):
        handset = Handset(f"{service.url}p/1")
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
        context.grant_permissions(["notifications"], origin=server.url)
        page = context.new_page()
        page.add_init_script(SUBSCRIBE % json.dumps(handset.subscription))
        page.goto(f"{server.url}{there.path}")
        page.click("text=在这台手机上提醒我")
        page.wait_for_selector("text=以后这台手机会收到提醒")
        assert page.evaluate("window.askedWith") == {"visible": True, "bytes": 65}
        assert page.locator("main").evaluate("one => one.scrollWidth <= one.clientWidth")
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / "push-360.png"), full_page=True)
        (kept,) = there.services.push.list(ADMIN).items
        assert kept.owner == "person:li"
        now = there.folder.clock.now()
        assert there.services.notify.test(ADMIN, "push", "li", "zh", now).sent
        said = handset.opened(service.asked[0]["raw"])
        said["url"] = f"{server.url}{there.path}"
        deliver(context, page, server.url, json.dumps(said))
        (shown,) = page.evaluate(SHOWN)
        assert shown == [said["title"], said["body"], said["tag"], said["url"]]
        browser.close()


def test_without_permission_the_page_says_what_to_do(there: Phone) -> None:
    with (
        served(there.client.app) as server,  # type: ignore[arg-type]
        playwright.sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_context(locale="en-US").new_page()
        page.add_init_script("Notification.requestPermission = async () => 'denied';")
        page.goto(f"{server.url}{there.path}")
        page.click("text=Tell me on this phone")
        page.wait_for_selector("text=does not allow it")
        assert there.services.push.list(ADMIN).items == ()
        browser.close()


def deliver(context: Any, page: Any, origin: str, data: str) -> None:
    """Let the browser believe that its push service brought something."""
    wire = context.new_cdp_session(page)
    found: list[str] = []
    wire.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: found.extend(one["registrationId"] for one in said["registrations"]),
    )
    wire.send("ServiceWorker.enable")
    for _ in range(100):
        if found:
            break
        page.wait_for_timeout(50)
    # A worker that is not at work yet is told nothing, and the message is gone.
    until(page, ACTIVE)
    wire.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": f"{origin}/", "registrationId": found[0], "data": data},
    )
