"""The page behind a link on small phones: what is read first, and what a thumb finds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import CAMERA, Folder
from ordinary_day import drawn_picture
from phones import Phone, phone
from served import served

from ingest.store.engine import writing
from ingest.store.registry import device

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
LONG = "东区三号楼地下二层非机动车库第十二充电区南侧消防通道出入口旁边的摄像机"
SHOTS = os.environ.get("LINLI_SHOTS")
"""A folder for pictures of the pages, to be looked at by a person."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Phone]:
    with phone(Folder(tmp_path)) as made:
        made.hand_in(drawn_picture())
        yield made


def rename(there: Phone, label: str) -> None:
    with writing(there.folder.state) as connection:
        row = device.update().where(device.c.device == CAMERA)
        connection.execute(row.values(label=label))


@pytest.mark.parametrize(
    ("width", "height", "scheme", "language", "label"),
    [
        (360, 640, "light", "zh-CN", LONG),
        (360, 640, "dark", "en-US", "Camera" * 10),
        pytest.param(390, 844, "light", "en-US", "Lift 1", marks=pytest.mark.full),
        pytest.param(390, 844, "dark", "zh-CN", "1 号电梯", marks=pytest.mark.full),
    ],
)
def test_the_button_is_found_without_scrolling_and_works_without_script(
    chromium: playwright.Browser,
    there: Phone,
    width: int,
    height: int,
    scheme: str,
    language: str,
    label: str,
) -> None:
    rename(there, label)
    with served(there.client.app) as server:  # type: ignore[arg-type]  # TestClient's is wider
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=scheme,
            java_script_enabled=False,
        )
        page = context.new_page()
        page.goto(f"{server.url}{there.path}")
        shot(page, f"{width}-{scheme}-{language}-open")
        button = page.locator(".phone-deeds button")
        box = button.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
        assert box["height"] >= 64
        assert box["width"] >= width * 0.7
        wide = page.locator("html").bounding_box()
        assert wide is not None
        assert wide["width"] <= width
        assert page.locator("main").evaluate("one => one.scrollWidth <= one.clientWidth")
        assert page.locator(".frame img").evaluate("image => image.naturalWidth > 0")
        button.click()
        page.wait_for_selector(".phone-said")
        assert there.incident().acknowledged_by == "person:li"
        shot(page, f"{width}-{scheme}-{language}-taken")
        page.locator(".phone-deeds button").last.click()
        assert there.incident().state == "resolved"
        context.close()


def shot(page: playwright.Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
