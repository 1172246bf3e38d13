"""Takes the READMEs' pictures of the demo: python tests/support/demo_shots.py [FOLDER].

Runs the demo as a newcomer would, waits until its one incident has its picture, and writes
FOLDER/incident.zh.jpg and FOLDER/incident.en.jpg (`docs/img` when not given).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from demos import RunningDemo
from playwright.sync_api import Browser, sync_playwright

SIZE = {"width": 1100, "height": 760}
PATIENCE = 60_000  # milliseconds


def main(folder: Path) -> None:
    demo = RunningDemo.start()
    try:
        said = demo.until(lambda text: "开始 begins" in text)
        url, password = (_said(said, name) for name in ("Dashboard", "Password"))
        with sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            for language in ("zh-CN", "en-US"):
                take(browser, url, password, language, folder / f"incident.{language[:2]}.jpg")
            browser.close()
    finally:
        demo.interrupt()


def take(browser: Browser, url: str, password: str, language: str, target: Path) -> None:
    context = browser.new_context(viewport=SIZE, locale=language)
    page = context.new_page()
    page.goto(f"{url}login")
    page.fill("input[name=name]", "admin")
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.click("a[href^='/incidents/']")
    page.wait_for_selector("main img[src*=picture]", timeout=PATIENCE)
    page.wait_for_load_state("networkidle", timeout=PATIENCE)
    page.screenshot(path=target, type="jpeg", quality=88)
    context.close()


def _said(text: str, name: str) -> str:
    found = re.search(rf"{name}\s+(\S+)", text)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/img"))
