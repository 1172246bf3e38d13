"""What residents may read without signing in: true to the settings, about nobody, fit to print."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import arranging
import pytest
from arranging import said, sign_in
from fastapi.testclient import TestClient
from house import Folder
from msgspec.structs import replace
from served import served

from ingest.settings import Evidence, Notice, load_settings
from linli.errors import InputError

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("LINLI_SHOTS")
PURPOSE = "电梯里不进电动车 & 楼道畅通"
NOTICE = Notice(operator="和园物业 <服务中心>", contact="前台，电话 010-5555 0100", purpose=PURPOSE)
KEPT = Evidence(days=21, safety_days=77, false_alarm_days=5)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    for made in arranging.folder(tmp_path):
        made.settings = replace(made.settings, notice=NOTICE, evidence=KEPT)
        yield made


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    yield from arranging.client(folder)


def test_anybody_reads_it_in_both_languages(client: TestClient) -> None:
    page = client.get("/notice?lang=en")
    assert page.status_code == 200
    text = said(page)
    for part in ("21 days", "77 days", "5 days", "is not recorded", "010-5555 0100", PURPOSE):
        assert part in text, part
    assert "和园物业 <服务中心>" in text
    assert "<服务中心>" not in page.text, "what settings say is text"
    assert "csrf" not in page.text
    assert "21 天" in said(client.get("/notice?lang=zh-CN"))
    found = client.get("/api/v1/notice").json()
    assert found["face_templates"] == found["video_days"] == 0
    assert (found["picture_days"], found["incident_days"]) == (21, None)
    assert (found["operator"], found["purpose"]) == (NOTICE.operator, PURPOSE)


def test_the_sign_says_it_twice_and_where_to_read_more(client: TestClient) -> None:
    text = said(client.get("/notice/sign?lang=en"))
    assert "本区域使用摄像头和传感器" in text
    assert "Cameras and sensors are in use here" in text
    assert "http://linli.test/notice" in text
    assert text.count("010-5555 0100") == 2


def test_staff_are_told_that_nobody_is_named(tmp_path: Path) -> None:
    for folder in arranging.folder(tmp_path):
        for client in arranging.client(folder):
            hint = "Nobody is named whom residents can ask"
            assert hint not in said(client.get("/notice/sign"))
            sign_in(client, "wang")
            assert hint in said(client.get("/notice/sign"))
            assert 'href="/notice/sign"' in client.get("/settings").text
            assert "The property management of" in said(client.get("/notice"))


def test_settings_without_words_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    head = '[site]\nid = "c001"\nlabel = "x"\n[notice]\n'
    file.write_text(head + 'contact = ""\n', encoding="utf-8")
    with pytest.raises(InputError, match="contact"):
        load_settings(file)
    file.write_text(head + 'phone = "1"\n', encoding="utf-8")
    with pytest.raises(InputError, match="phone"):
        load_settings(file)


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium")
def test_it_fits_a_phone_and_one_sheet_of_paper(client: TestClient, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with served(client.app) as server, playwright.sync_playwright() as driver:  # type: ignore[arg-type]
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        for width, language in ((390, "zh-CN"), (1366, "en"), (1920, "zh-CN")):
            page.set_viewport_size({"width": width, "height": 900})
            for name in ("/notice", "/notice/sign"):
                page.goto(f"{server.url}{name}?lang={language}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                if SHOTS:
                    shot = f"{name.replace('/', '-')}-{width}-{language}.png"
                    page.screenshot(path=str(Path(SHOTS) / shot), full_page=True)
        paper = page.pdf(prefer_css_page_size=True)
        assert paper.count(b"/Type /Page\n") == 1, "one sheet"
        if SHOTS:
            (Path(SHOTS) / "sign.pdf").write_bytes(paper)
        browser.close()
