"""Takes a picture of every page, to be looked at: python tests/support/shots.py [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path

from neighbourhood import PASSWORD, Neighbourhood
from ordinary_day import furnish
from playwright.sync_api import Browser, sync_playwright
from served import served

SIZES = {"phone": (390, 844), "wall": (1920, 1080)}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    place = Neighbourhood()
    furnish(place)
    first = next(iter(place.book.rows))
    bare = Neighbourhood()
    paths = {"desk": "/", "incident": f"/incidents/{first}", "devices": "/devices", "missing": "/x"}
    with served(place.app()) as full, served(bare.app()) as empty, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for size in SIZES:
            for language in ("zh-CN", "en-US"):
                take(browser, full.url, paths, folder, f"{size}-{language[:2]}", size, language)
        take(browser, full.url, paths, folder, "phone-zh-dark", "phone", "zh-CN", dark=True)
        take(browser, full.url, {"desk": "/"}, folder, "wall-zh-dark", "wall", "zh-CN", dark=True)
        take(browser, empty.url, {"empty": "/"}, folder, "phone-zh", "phone", "zh-CN")
        take(browser, empty.url, {"empty-devices": "/devices"}, folder, "wall-en", "wall", "en-US")
        browser.close()


def take(
    browser: Browser,
    url: str,
    paths: dict[str, str],
    folder: Path,
    name: str,
    size: str,
    language: str,
    *,
    dark: bool = False,
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=language,
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.goto(f"{url}/login")
    page.screenshot(path=folder / f"{name}-login.png")
    page.fill("input[name=name]", "王芳")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    for shown, path in paths.items():
        page.goto(f"{url}{path}")
        page.wait_for_timeout(400)
        page.screenshot(path=folder / f"{name}-{shown}.png", full_page=size == "phone")
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "artifacts/shots"))
