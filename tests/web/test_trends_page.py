"""Trends: figures of a real ingest as people read them, and nothing said of what is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from house import NOON, PASSWORDS, Folder
from kept import keep

from dashboards.web import mount
from ingest.app import create_app
from ingest.store.engine import writing
from ingest.store.incidents import incident

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def client(folder: Folder) -> Iterator[TestClient]:
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test") as client:
        client.headers["accept-language"] = "en"
        client.post(
            "/login",
            data={"name": "wang", "password": PASSWORDS["wang"][1]},
            follow_redirects=False,
        )
        yield client


def text_of(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_figures_of_the_last_days(folder: Folder, client: TestClient) -> None:
    for hours in (1, 2, 30):
        keep(folder, ("opened", NOON - hours * HOUR), area="gate-n", event="blocked-fire-lane")
    keep(folder, ("opened", NOON - HOUR), area="b03", event="bin-full")
    keep(folder, ("opened", NOON - 20 * DAY), area="b03", event="<b>new</b>")
    with writing(folder.state) as connection:
        connection.execute(incident.update().values(label="true-alarm", last=NOON - HOUR))
    page = text_of(client, "/trends?days=7")
    assert "4 incidents in this time. Most often: Fire lane blocked (3)." in page
    assert re.search(r"North gate</th>.*?>3</td>", page)
    assert re.search(r"Bin full</th>.*?>1</td>", page)
    # 19:00 and 18:00 of Monday and 14:00 of Sunday in Shanghai; before the first one: a dash.
    monday = re.search(r"Monday</th>(.*?)</tr>", page)
    assert monday is not None
    cells = re.findall(r'<td class="(heat-\w+)">([^<]*)</td>', monday.group(1))
    assert (len(cells), cells[19], cells[3]) == (24, ("heat-5", "2"), ("heat-0", ""))
    assert "Too little history: days known so far: 19, needed to tell what is usual: 38" in page
    assert re.search(r"All together</span></th><td class=.num.>5</td><td class=.num.>–</td>", page)
    assert "Half of the incidents" not in page, "nobody has seen one yet"
    assert "Nobody was called in this time." in page
    assert "100 %" in page, "every one was marked as right"
    everything = text_of(client, "/trends?days=28")
    assert "&lt;b&gt;new&lt;/b&gt;" in everything
    some = text_of(client, "/trends?days=7&area=b03")
    assert "1 incident in this time." in some
    assert re.search(r"All together</span></th><td class=.num.>2</td>", some), "of that area"
    assert "Proof of delivery" not in some, "messages are of the whole site"


def test_an_empty_house_says_that_nothing_is_known(client: TestClient) -> None:
    page = text_of(client, "/trends")
    assert "Nothing is known of this time: no incident had been recorded yet." in page
    assert "Too little history: days known so far: 0" in page
    assert 'class="heat"' not in page
    client.headers["accept-language"] = "zh-CN"
    assert "历史太短" in text_of(client, "/trends")


@pytest.mark.parametrize("query", ["days=0", "days=x", "days=400", f"area={'x' * 65}"])
def test_what_makes_no_sense_is_not_found(client: TestClient, query: str) -> None:
    assert client.get(f"/trends?{query}").status_code == 404
