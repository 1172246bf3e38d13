"""Charts with axes and gaps, readings in words, the search among devices, and waiting for data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace
from neighbourhood import PASSWORD, Neighbourhood
from ordinary_day import furnish

from dashboards.web.charts import LENGTHS, Chart, chart
from dashboards.web.device_list import SIZE, chosen, part, read, wanted
from dashboards.web.device_view import _presence
from dashboards.web.moments import Calendar
from dashboards.web.readings import figure, scale_of
from dashboards.web.words import Words
from ingest.services.availability import AvailabilityView
from ingest.services.estate import Glance
from ingest.services.views import Health, SeriesPoint

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALENDAR = Calendar("en", UTC, NOW)


def drawn(values: list[float | None], **more: Any) -> Chart | None:
    length, step = LENGTHS["day"]
    points = [
        SeriesPoint(
            time=NOW - length + timedelta(seconds=step * number),
            mean=value,
            low=value,
            high=value,
            count=value is not None,
            coverage="none" if value is None else "full",
        )
        for number, value in enumerate(values)
    ]
    given = {"title": "Temperature", "scale": 1.0, "unit": "°C", **more}
    return chart(points, CALENDAR, "day", **given)


def test_a_gap_is_a_gap_and_never_a_zero() -> None:
    made = drawn([20.0, 21.0, None, None, 24.0, 25.0, None])
    assert made is not None
    assert len(made.lines) == 2
    assert (made.missing, made.steps, made.last) == (3, 7, "25 °C")
    assert [row.value for row in made.rows[2:4]] == [None, None]
    assert [row.y for row in made.rows[2:4]] == [None, None]
    assert drawn([None, None]) is None
    assert drawn([]) is None
    lone = drawn([None, 20.0, None])
    assert lone is not None
    assert lone.lines[0].count(" ") == 1, "a lone value can be seen"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.0, 100.0], ["0", "25", "50", "75", "100"]),
        ([17.0, 26.0], ["15", "17.5", "20", "22.5", "25", "27.5"]),
        ([-5.0, 5.0], ["-5", "-2.5", "0", "2.5", "5"]),
        ([0.0, 0.0], ["-0.5", "-0.25", "0", "0.25", "0.5"]),
    ],
    ids=["hundred", "warm", "frost", "nothing"],
)
def test_axes_have_round_numbers(values: list[float | None], texts: list[str]) -> None:
    made = drawn(values)
    assert made is not None
    assert [tick.text for tick in made.across] == texts
    heights = [float(tick.at) for tick in made.across]
    assert heights == sorted(heights, reverse=True)


def test_a_line_that_hardly_moves_is_not_blown_up() -> None:
    made = drawn([59.95, 60.0])
    assert made is not None
    texts = [tick.text for tick in made.across]
    assert len(texts) == len(set(texts))
    ends = [float(pair.split(",")[1]) for pair in made.lines[0].split()]
    assert abs(ends[0] - ends[1]) < 10


def test_values_are_said_as_people_say_them() -> None:
    assert scale_of("battery", "1") == (100.0, "%")
    assert scale_of("temperature", "Cel") == (1.0, "°C")
    assert scale_of("people", "1") == (1.0, "")
    assert figure(0.9 * 100, "%") == "90%"
    assert figure(21.456, "°C") == "21.5 °C"
    assert figure(-0.0001, "W") == "0 W"
    assert figure(12345.6, "W") == "12346 W"


def view(number: int, **more: Any) -> Glance:
    given = {"label": f"灯 {number}", "kind": "lamp", "subject": None, "health": "ok", **more}
    return Glance(site="c001", area="b03", node="n1", device=f"d{number}", **given)


def test_devices_are_found_by_text_place_kind_and_state() -> None:
    views = [
        view(1),
        view(2, subject="b03/u1", health="down"),
        view(3, subject="b03/u10", kind="bin"),
    ]

    def found(query: str) -> list[str]:
        return [one.device for one in chosen(views, read(query))]

    assert found("") == ["d2", "d1", "d3"], "the worst first"
    assert found("place=c001/b03/u1") == ["d2"], "u10 is another place"
    assert found("place=c001") == ["d2", "d1", "d3"]
    assert found("kind=bin") == ["d3"]
    assert found("state=down") == ["d2"]
    assert found("state=x&page=x") == ["d2", "d1", "d3"]
    assert found("q=N1%2FD3") == ["d3"]
    assert found("q=none") == []
    assert read(wanted("灯 & x", place="c001", page=3).query) == wanted(
        "灯 & x", place="c001", page=3
    )
    many = [view(number) for number in range(SIZE + 1)]
    assert (len(part(many, 1)[0]), part(many, 1)[1]) == (SIZE, 2)
    assert len(part(many, 99)[0]) == 1, "behind the last page stands the last page"
    assert part([], 1) == ([], 1)


def test_a_confirmed_device_is_waited_for() -> None:
    place = Neighbourhood()
    furnish(place)
    client = TestClient(place.app(), headers={"accept-language": "en"})
    client.post("/login", data={"name": "王芳", "password": PASSWORD}, follow_redirects=False)
    now = place.clock.now()
    path, asked = "/devices/c001-n07/cam-e1", int(now.timestamp())
    index = next(at for at, one in enumerate(place.estate.devices) if one.device == "cam-e1")

    def shown(since: int, seen: datetime | None) -> str:
        place.estate.devices[index] = replace(place.estate.devices[index], last_seen=seen)
        answer = client.get(path, params={"since": since})
        assert answer.status_code == 200
        return answer.text

    waiting = shown(asked, now - timedelta(hours=1))
    assert "Waiting for its next data" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    assert "Data arrived" in shown(asked, now + timedelta(seconds=1))
    late = shown(asked - 120, None)
    assert "Has the camera power" in late
    assert "every 2s" not in late
    for odd in (0, 2**40):
        assert "Waiting" in shown(odd, None) or "Please check" in shown(odd, None)
    assert client.get(path, params={"since": "x"}).status_code in {400, 404}
    assert client.get(path, params={"span": "year"}).status_code in {400, 404}
    assert "Waiting" not in client.get(path).text
    week = client.get(path, params={"span": "week"}).text
    assert 'class="chart-line"' in week


@pytest.mark.parametrize(
    ("there", "health", "told"),
    [(True, "ok", True), (True, "down", False), (False, "down", True), (False, "ok", False)],
)
def test_since_when_it_is_so_is_not_said_against_how_it_is_now(
    there: bool, health: Health, told: bool
) -> None:
    found = AvailabilityView(of="camera", there=there, since=NOW - timedelta(days=1))
    place = Neighbourhood()
    furnish(place)
    view = replace(place.estate.devices[0], health=health)
    made = _presence(found, view, Words("en", {}), CALENDAR)
    assert (made.since is not None) is told
