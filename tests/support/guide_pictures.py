"""Takes the pictures of the duty desk's guide: python tests/support/guide_pictures.py [FOLDER].

Pages of a made-up community in Chromium, in both languages, as small WebP files (`docs/guides/img`
when no folder is given). The scene in them is drawn.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from neighbourhood import PASSWORD, Neighbourhood
from ordinary_day import furnish
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from served import served

LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
DESK, PHONE, WALL = (1180, 760), (390, 780), (1600, 900)


def main(folder: Path) -> None:
    """Take all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Neighbourhood()
    furnish(place)
    first = next(iter(place.book.rows))
    shots = {"desk": ("/", DESK), "phone": (f"/m/{first}", PHONE), "wall": ("/wall", WALL)}
    with served(place.app()) as running, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for end, language in LANGUAGES.items():
            for name, (path, size) in shots.items():
                target = folder / f"{name}.{end}.webp"
                take(browser, running.url, path, size, language, target)
        browser.close()


def take(
    browser: Browser, url: str, path: str, size: tuple[int, int], language: str, target: Path
) -> None:
    """Sign in, open a page, and keep a small picture of what is on the screen."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale=language)
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("input[name=name]", "王芳")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.goto(f"{url}{path}")
    page.wait_for_timeout(800)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.save(target, "WEBP", quality=70, method=6)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/guides/img"))
