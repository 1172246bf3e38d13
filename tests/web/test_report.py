"""The weekly report: this week beside the one before, safe cells, and paper without cut tables."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from house import NODE, NOON, PASSWORDS, SITE, Folder
from kept import keep, tell
from served import served

from dashboards.web import mount
from dashboards.web.figures import CameraRow, ChannelRow, Figures, Span, Teller
from dashboards.web.report import monday_of, name_of, report
from dashboards.web.words import Words
from ingest.app import create_app
from ingest.refusal import NotThere
from ingest.series.embedded import EmbeddedTimeseries
from ingest.series.timeseries import Sample, SeriesKey, to_millis
from ingest.spreadsheet import safe
from ingest.store.engine import writing
from ingest.store.incidents import incident
from ingest.store.registry import person
from linli.clock import SystemClock

PAPERS = Path(os.environ.get("LINLI_SHOTS", "artifacts/pages"))
CHROMIUM = Path("/usr/bin/chromium")
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def made(folder: Folder) -> FastAPI:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    with TestClient(made(folder), base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        client.post(
            "/login",
            data={"name": "wang", "password": PASSWORDS["wang"][1]},
            follow_redirects=False,
        )
        yield client


def test_weeks_have_names() -> None:
    assert name_of(date(2026, 1, 1)) == "2026-W01"
    assert monday_of("2026-W09") == date(2026, 2, 23)
    assert monday_of("2026-W53") == date(2026, 12, 28)
    for wrong in ("2025-W53", "2026-W00", "2026-9", "0001-W01", "2026-W09x", "٢٠٢٦-W09"):
        with pytest.raises(NotThere):
            monday_of(wrong)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-2", "@x", "\t=1", " =1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert safe(cell) == f"'{cell}"
    assert safe("北门 (3)") == "北门 (3)"


class Told:
    """Tells of a week of which much is known, and of one before of which nothing is."""

    def __init__(self) -> None:
        rest = dict.fromkeys(("busiest", "handling", "load", "energy"))
        bars = {"kinds": (), "places": (), "heat": (), "handled": (), "complete": True}
        self._before = Figures(total=None, cameras=(), channels=(), **bars, **rest)
        self._this = replace(
            self._before,
            total=5,
            cameras=(CameraRow("a", 3, 1, "75 %"), CameraRow("b", 1, 0, "100 %")),
            channels=(ChannelRow("sms", 8, 2, "80 %"), ChannelRow("mail", 10, 0, "100 %")),
            energy=12.34,
        )

    def tell(self, span: Span) -> Figures:
        return self._this if span.start.day == 23 else self._before


def test_delivery_precision_and_energy_are_summed_and_what_is_unknown_is_a_dash() -> None:
    told = cast("Teller", Told())
    found = report("2026-W09", told, Words("en", {}), NOON, UTC)
    lines = {one.label: (one.value, one.before, one.change) for one in found.summary}
    assert lines == {
        "Incidents": ("5", "–", ""),
        "Marked as right": ("4 / 5", "–", ""),
        "Messages delivered": ("18 / 20", "–", ""),
        "Energy saved, kWh": ("12.3", "–", ""),
    }


def test_a_week_beside_the_one_before(folder: Folder, client: TestClient) -> None:
    # NOON is a Monday, 20:00 in Shanghai: the week that is over is that of 23 February.
    for days in (1, 2, 3):
        keep(folder, ("opened", NOON - days * DAY), area="gate-n", event="blocked-fire-lane")
    keep(folder, ("opened", NOON - 8 * DAY), area="gate-n", event="blocked-fire-lane")
    keep(folder, ("opened", NOON - 9 * DAY), area="b03", event="=cmd")
    keep(folder, ("opened", NOON), area="b03", event="bin-full")
    with writing(folder.state) as connection:
        connection.execute(incident.update().values(last=NOON - 2 * DAY))
    answer = client.get("/report")
    assert str(answer.url).endswith("/report/2026-W09")
    page = re.sub(r"\s+", " ", answer.text)
    line = r'{}</th><td class="num"><strong>{}</strong></td><td class="num">{}</td>'
    change = r'<td class="num changed">{}</td>'
    assert re.search(line.format("Incidents", 3, 2) + change.format(r"\+1"), page)
    assert re.search(line.format("Fire lane blocked", 3, 1) + change.format(r"\+2"), page)
    assert re.search(line.format("=cmd", 0, 1) + change.format("-1"), page)
    assert "Bin full" not in page, "that is of this week"
    assert "This week is not over yet." in client.get("/report/2026-W10").text
    first = re.sub(r"\s+", " ", client.get("/report/2026-W08").text)
    assert re.search(line.format("=cmd", 1, "–") + change.format(""), first), "unknown is not none"
    assert client.get("/report/2026-W11").status_code == 404
    assert client.get("/report/nonsense").status_code == 404
    answer = client.get("/report/2026-W09.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="linli-2026-W09.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["Part", "What", "This week", "The week before"]
    assert ["Summary", "Incidents", "3", "2"] in rows
    assert ["By kind", "'=cmd", "0", "1"] in rows


def furnish(folder: Folder, now: datetime) -> None:
    """Keep messages, lamps that saved energy, and a bin that is nearly full, as they come."""
    for number, state in enumerate(("sent", "sent", "dead")):
        at = now - DAY + number * timedelta(seconds=30)
        tell(folder, number, owner="person:li", state=state, ended=at, created=at)
    with writing(folder.state) as connection:
        connection.execute(person.insert(), {"person": "li", "label": "李雷", "role": "duty"})
    key = {"site": SITE, "node": NODE}
    lamps = SeriesKey(**key, device="lamp-1", group="corridor", name="energy-saved", unit="Wh")
    bin_1 = SeriesKey(**key, device="bin-1", group="bin", name="fill-level", unit="1")
    samples = [
        Sample(key=lamps, time=to_millis(now - hours * HOUR), value=1e5 - 100 * hours)
        for hours in range(48, 0, -1)
    ]
    samples.append(Sample(key=bin_1, time=to_millis(now - HOUR), value=0.97))
    EmbeddedTimeseries(folder.reader("series"), folder.series).write(samples, 1)


def test_calls_messages_energy_and_bins_of_the_real_services(
    folder: Folder, client: TestClient
) -> None:
    keep(folder, ("opened", NOON - DAY), area="gate-n", event="bin-full")
    furnish(folder, NOON)
    page = re.sub(r"\s+", " ", client.get("/report/2026-W09").text)
    line = r'{}</th><td class="num"><strong>{}</strong></td>'
    assert re.search(line.format("Messages delivered", "2 / 3"), page)
    assert re.search(line.format("Energy saved, kWh", r"[23]\.\d"), page)
    assert re.search(r'李雷</th><td class="num">2</td><td class="num">2', page)
    assert re.search(r'bot</th><td class="num">2</td><td class="num">1</td>', page)
    assert "1 bin should be emptied on the next round" in page
    assert re.search(r"<li>bin-1 · [^<]*3[^<]* · 97 %</li>", page), "a place by its name"
    old = client.get("/report/2026-W07").text
    assert "on the next round" not in old, "what is in bins is known of now alone"
    trends = re.sub(r"\s+", " ", client.get("/trends?days=7").text)
    assert re.search(r"Lamps used [34]\.\d kWh less", trends)
    assert "1 bin is measured." in trends
    assert re.search(r'李雷</th><td class="num">2</td>', trends)


CUT = """() => Array.from(document.querySelectorAll("table, h2, .worse li"))
  .filter((one) => one.getBoundingClientRect().height > 1016)
  .map((one) => one.textContent.trim().slice(0, 30))"""
WIDE = """() => Array.from(document.querySelectorAll("table"))
  .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
  .map((one) => one.textContent.trim().slice(0, 30))"""


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: apt-get install chromium")
@pytest.mark.parametrize(
    ("language", "title"),
    [("zh-CN", "周报"), pytest.param("en-US", "Weekly report", marks=pytest.mark.full)],
)
def test_on_screen_and_on_paper(folder: Folder, language: str, title: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    folder.clock = SystemClock()  # type: ignore[assignment]  # a browser's cookies end by real time
    now = folder.clock.now()
    for hours in range(1, 300, 24):
        at = now - WEEK - hours * HOUR
        area = f"b{hours % 7:02d}"
        keep(folder, ("opened", at), ("acknowledged", at + HOUR), area=area, event="bin-full")
    with writing(folder.state) as connection:
        connection.execute(incident.update().values(last=now - WEEK - HOUR))
    furnish(folder, now)
    with served(made(folder)) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": 390, "height": 844}, locale=language, color_scheme="dark"
        )
        troubles: list[str] = []
        page.on("console", lambda one: troubles.append(one.text))
        page.goto(f"{server.url}/login?next=/trends")
        page.fill("[name=name]", "wang")
        page.fill("[name=password]", PASSWORDS["wang"][1])
        page.click("main button[type=submit]")
        for path in ("/trends", "/report"):
            page.goto(f"{server.url}{path}")
            for width in (390, 1366, 1920):
                page.set_viewport_size({"width": width, "height": 844})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (path, width)
        assert title in page.inner_text("h1")
        # 186 mm between the margins of A4 are 703 points of a screen, 269 mm are 1016.
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 703, "height": 1016})
        assert page.evaluate(CUT) == [], "nothing is too long for a page of its own"
        assert page.evaluate(WIDE) == []
        assert not page.is_visible("nav.tabs")
        ink = "getComputedStyle(document.querySelector('.hint')).color"
        assert page.evaluate(ink) == "rgb(68, 68, 68)", "dark on white, also of a dark screen"
        paper = page.pdf(prefer_css_page_size=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", paper)) <= 3
        sizes = re.findall(rb"/MediaBox\s*\[0 0 (\d+)[.\d]* (\d+)", paper)
        assert set(sizes) == {(b"594", b"841")}, "A4"
        assert troubles == []
        page.close()
        browser.close()
