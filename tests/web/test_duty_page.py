"""The page and the tile of who is on duty, in both languages, and in a real browser once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from neighbourhood import PASSWORD, Neighbourhood
from served import served

from ingest.services.duty_views import Someone, TeamDuty, TurnView
from ingest.services.roster_sheet import Span
from linli.clock import ManualClock

NOON = datetime.fromisoformat("2026-03-02T12:00:00+00:00")  # Monday 20:00 in Shanghai
HOUR = timedelta(hours=1)
LI = Someone(id="li", label="李雷", label_en="Li Lei")
WANG = Someone(id="wang", label="<b>王芳</b>")


def turn(begin: float, end: float, *people: Someone) -> TurnView:
    return TurnView(begin=NOON + begin * HOUR, end=NOON + end * HOUR, people=people)


def gapless(**changes: object) -> TeamDuty:
    values = {
        "team": "night",
        "label": "夜班",
        "label_en": "Night",
        "roster": True,
        "now": turn(0, 12, LI),
        "next": turn(12, 24, WANG),
        "week": (turn(0, 12, LI), turn(12, 168, WANG)),
    }
    return TeamDuty(**{**values, **changes})  # type: ignore[arg-type]


GAP = gapless(
    team="gate",
    label="门岗",
    label_en=None,
    now=None,
    week=(turn(12, 24, WANG),),
    gaps=(
        Span(begin=NOON, end=NOON + 12 * HOUR),
        Span(begin=NOON + 24 * HOUR, end=NOON + 168 * HOUR),
    ),
)
NONE = TeamDuty(team="idle", label="后备", label_en=None, roster=False)


@pytest.fixture
def place() -> Neighbourhood:
    made = Neighbourhood(ManualClock(NOON))
    made.guards.teams = (NONE, gapless(), GAP)
    return made


def visit(place: Neighbourhood, name: str, path: str, language: str = "zh-CN") -> str:
    client = TestClient(place.app(), base_url="http://linli.test")
    client.headers["accept-language"] = language
    client.post("/login", data={"name": name, "password": PASSWORD}, follow_redirects=False)
    return re.sub(r"\s+", " ", client.get(path).text)


def test_now_next_the_week_and_its_gaps(place: Neighbourhood) -> None:
    page = visit(place, "王芳", "/duty")
    assert page.index("夜班") < page.index("门岗") < page.index("后备"), "rosters come first"
    assert '<strong>李雷</strong> <span class="place">到 3月3日周二 08:00' in page
    assert "下一班：&lt;b&gt;王芳&lt;/b&gt;，3月3日周二 08:00 起" in page
    assert "现在无人值班" in page
    assert "未来一周有 2 段时间无人值班。" in page
    assert '<li class="duty-gap"><span class="duty-hours">00:00–24:00</span> 无人' in page
    assert '<span class="duty-hours">20:00–24:00</span> 李雷' in page
    assert "这个班组还没有排班。" in page


def test_in_english_with_english_names(place: Neighbourhood) -> None:
    page = visit(place, "王芳", "/duty", "en")
    assert '<h2 id="team-night">Night</h2>' in page
    assert "Li Lei" in page
    assert "2 times in the coming week have nobody on duty." in page


def test_the_main_page_says_who_is_on_duty(place: Neighbourhood) -> None:
    page = visit(place, "王芳", "/")
    assert "夜班: 李雷" in page
    assert '<span class="duty-gap">门岗: 无人' in page
    assert "后备" not in page, "what has no roster is no gap"
    place.guards.teams = (NONE,)
    assert "duty-tile" not in visit(place, "王芳", "/")


def test_names_of_people_are_for_staff(place: Neighbourhood) -> None:
    page = visit(place, "guest", "/")
    assert "李雷" not in page
    assert "/duty" not in page
    assert "李雷" not in visit(place, "guest", "/duty")


@pytest.mark.browser
@pytest.mark.parametrize(
    "size", [(390, 844), pytest.param((1920, 1080), marks=pytest.mark.full)], ids=str
)
def test_at_a_glance_on_a_phone_and_on_a_wall(place: Neighbourhood, size: tuple[int, int]) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("no Chromium here: apt-get install chromium fonts-noto-cjk")
    with served(place.app()) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        width, height = size
        page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        page.goto(f"{server.url}/login")
        page.fill("[name=name]", "王芳")
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        if width < 900:  # where there is room for few tabs it is behind the last of them
            more = page.locator(".tabs-more summary")
            more.press("Enter")
            assert page.is_visible(".tabs-rest")
            page.keyboard.press("Escape")
            assert not page.is_visible(".tabs-rest")
            assert more.evaluate("one => one === document.activeElement")
            more.press("Enter")
        page.click("nav a[href$='/duty']:visible")
        assert page.inner_text("h1") == "值班"
        first = page.locator(".duty-now").first.bounding_box()
        assert first["y"] + first["height"] < height, "who is on duty needs no scrolling"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        days = [
            one.bounding_box()
            for one in page.locator(".duty-team").first.locator(".duty-day").all()
        ]
        assert len({round(one["y"]) for one in days}) == (8 if width < 900 else 1)
        browser.close()
