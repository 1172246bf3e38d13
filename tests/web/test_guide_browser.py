"""The page of a guidance point on tablets, upright and lying: nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.guide.screen import Screen

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium fonts-noto-cjk"
    ),
]
SHOWN = ("idle", "looking", "ask", "recyclable", "hazardous", "food", "residual")
INSIDE = """() => Array.from(document.querySelectorAll("section"))
  .filter(one => getComputedStyle(one).display !== "none")
  .map(one => {
    const parts = [one, ...one.querySelectorAll("h1, h2, p, svg")];
    const all = parts.map(e => e.getBoundingClientRect());
    return [one.id, all.every(r => r.left >= 0 && r.top >= 0 && r.right <= innerWidth
      && r.bottom <= innerHeight)];
  })"""


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with Screen("127.0.0.1", 0) as one:
        yield one


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((800, 1280), marks=pytest.mark.full),
        pytest.param((1280, 800), marks=pytest.mark.full),
        (1024, 600),
    ],
    ids=str,
)
def test_each_word_is_whole_on_a_tablet_and_an_old_one(
    screen: Screen, size: tuple[int, int]
) -> None:
    width, height = size
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        troubles: list[str] = []
        page.on("console", lambda said: troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"http://127.0.0.1:{screen.port}/")
        for shown in SHOWN:
            screen.show(shown)  # type: ignore[arg-type]
            page.wait_for_selector(f"body.{shown}")
            assert page.evaluate(INSIDE) == [[shown, True]]
        assert troubles == []
        browser.close()


def test_a_page_whose_edge_has_gone_says_so() -> None:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        with Screen("127.0.0.1", 0) as screen:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{screen.port}/")
            page.wait_for_selector("body.idle")
        page.wait_for_selector("body.away", timeout=20_000)
        browser.close()
