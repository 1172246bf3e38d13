"""When bins will be full and which to empty: on hand-made hours, and on simulated months."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from house import AREA, CAMERA, GUEST, NODE, SITE, Folder, running, sign_in
from households import bins, months
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.refusal import NotUsable
from ingest.series.memory import MemoryTimeseries
from ingest.series.timeseries import Sample, SeriesKey, to_millis
from ingest.services.waste import WasteService, bins_among
from ingest.waste.forecast import HORIZON, Forecast, forecast
from ingest.waste.inflow import Inflow
from ingest.waste.plan import BinNow, plan, too_late
from ingest.waste.skill import Skill, score
from ingest.waste.walk import Walk, order_of
from linli.cli.ingest.waste import waste

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SHANGHAI_NOON = datetime(2026, 6, 8, 4, 0, tzinfo=UTC)


def even(days: int, rate: float = 0.03, emptied: int = 6) -> list[float | None]:
    """The same each hour, emptied each day at an hour."""
    return [rate * ((hour - emptied) % 24) for hour in range(days * 24)]


def test_what_came_is_known_but_for_emptyings_full_bins_and_silence() -> None:
    inflow = Inflow([0.1, 0.2, 0.3, 0.4, 0.0, 0.1, None, 0.2, 0.99, 1.0, 1.0])
    assert inflow.between(1, 4) == pytest.approx(0.3)
    assert inflow.hours_until(1, 0.25, 3) == pytest.approx(2.5)
    assert inflow.hours_until(1, 0.35, 3) == 3
    assert inflow.hours_until(9, 0.1, 3) is None  # not over yet
    assert not inflow.known(4, 5)  # emptied
    assert not inflow.known(6, 8)  # silent
    assert not inflow.known(9, 11)  # nobody knows what lies on top
    assert inflow.between(6, 11) is None


def test_an_even_bin_is_forecast_to_the_hour() -> None:
    inflow = Inflow(even(60))
    made = forecast(inflow, len(inflow), 0.3, 0)
    assert made is not None
    assert made.middle == pytest.approx(10, abs=0.5)
    assert made.early == pytest.approx(made.late, abs=0.5)
    assert forecast(inflow, len(inflow), 0.0, 0) == Forecast(0, 0, 0)
    assert forecast(inflow, len(inflow), 50, 0) == Forecast(HORIZON, HORIZON, HORIZON)


def test_a_week_is_too_little_history() -> None:
    inflow = Inflow(even(8))
    assert forecast(inflow, len(inflow), 0.3, 0) is None
    assert score(inflow, 0, full=0.85) is None


def test_nothing_is_forecast_of_what_was_not_measured() -> None:
    inflow = Inflow([None] * 1500)
    assert forecast(inflow, 1500, 0.3, 0) is None
    assert score(inflow, 0, full=0.85) is None


def test_the_simple_ways_are_as_good_where_nothing_happens_by_chance() -> None:
    found = score(Inflow(even(80)), 0, full=0.85)
    assert found is not None
    assert found.error < 1
    assert found.last_week < 1
    assert not found.shown or found.skill >= 0.05


def test_months_of_households_are_forecast_better_than_by_the_simple_ways() -> None:
    rng = random.Random(20260302)
    estate = bins(rng, MONDAY)
    found = [
        score(Inflow(months(next(estate), MONDAY, 90, rng)), (MONDAY.weekday() + 89) % 7, full=0.85)
        for _ in range(8)
    ]
    scored = [one for one in found if one is not None]
    total = sum(one.count for one in scored)

    def mean(of: str) -> float:
        return float(sum(getattr(one, of) * one.count for one in scored)) / total

    assert total > 400
    assert mean("error") < 0.9 * min(mean("last_week"), mean("linear"))
    assert 0.65 <= mean("covered") <= 0.9


def test_a_forecast_without_skill_is_not_shown() -> None:
    good = Skill(count=40, error=4, last_week=6, linear=5, covered=0.8)
    assert good.skill == pytest.approx(0.2)
    assert good.shown
    assert not Skill(count=40, error=5, last_week=6, linear=5, covered=0.8).shown
    assert not Skill(count=29, error=1, last_week=6, linear=5, covered=0.8).shown


@settings(max_examples=15)
@given(
    st.lists(st.none() | st.floats(0, 1), min_size=240, max_size=300),
    st.floats(0, 1),
    st.integers(0, 6),
)
def test_whatever_was_measured_early_is_before_late(
    levels: list[float | None], room: float, weekday: int
) -> None:
    inflow = Inflow(levels)
    made = forecast(inflow, len(inflow), room, weekday)
    if made is not None:
        assert 0 <= made.early <= made.middle <= made.late <= HORIZON


def test_a_round_goes_to_what_is_full_may_be_or_is_not_known_in_walking_order() -> None:
    soon, late = Forecast(5, 9, 20), Forecast(30, 40, 72)
    found = plan(
        [
            BinNow("a", "c001/b10", 0.9, None),
            BinNow("b", "c001/b02/u2", 0.5, soon),
            BinNow("c", "c001/b02/u1", 0.7, late),
            BinNow("d", "c001/b02/u10", 0.7, None),
            BinNow("e", "c001/b02/u1", None, None),
            BinNow("f", "c001/b01", 0.3, None),
        ],
        24,
        Walk(),
    )
    assert [(one.bin.id, one.why) for one in found] == [
        ("e", "not-known"),
        ("b", "may-fill"),
        ("d", "nearly-full"),
        ("a", "full"),
    ]


def test_a_bin_with_nothing_in_it_is_not_visited_but_wants_a_round_sooner() -> None:
    quick = BinNow("a", "c001/b01", 0.05, Forecast(3, 6, 9))
    slow = BinNow("b", "c001/b01", 0.05, Forecast(30, 40, 60))
    assert plan([quick, slow], 12, Walk()) == []
    assert [too_late(one, 12) for one in (quick, slow)] == [True, False]


def test_the_round_goes_the_way_that_staff_walk() -> None:
    walk = Walk(("c001/b10", "c001/b02/u2", "c001/b02", "c001/b0"))
    bins = [
        BinNow("a", "c001/b01", 0.9, None),
        BinNow("b", "c001/b02/u1", 0.9, None),
        BinNow("c", "c001/b02/u2/p1", 0.9, None),
        BinNow("d", "c001/b10", 0.9, None),
        BinNow("e", "c001/b02", 0.9, None),
    ]
    assert [one.bin.id for one in plan(bins, 24, walk)] == ["d", "c", "e", "b", "a"]


def test_numbers_in_places_are_numbers() -> None:
    places = [
        "c001/b10",
        "c001/b2/u1",
        "c001/b2",
        "c001",
        "c001/garden",
        "c001/b2/u12",
        "c001/b2/u3",
    ]
    assert sorted(places, key=order_of) == [
        "c001",
        "c001/b2",
        "c001/b2/u1",
        "c001/b2/u3",
        "c001/b2/u12",
        "c001/b10",
        "c001/garden",
    ]


def key(device: str, group: str = "bin") -> SeriesKey:
    return SeriesKey(site=SITE, node=NODE, device=device, group=group, name="fill-level", unit="1")


def test_a_bin_is_one_though_its_sensor_tells_a_level_too() -> None:
    keys = [key("bin-1"), key("bin-1", "sensor"), key("bin-2", "sensor"), key("cam", "bin-9")]
    assert bins_among(keys) == [keys[0], keys[2], keys[3]]


def samples(of: SeriesKey, levels: list[float | None], now: datetime) -> list[Sample]:
    first = to_millis(now) // 3_600_000 - len(levels)
    return [
        Sample(key=of, time=(first + hour) * 3_600_000 + 1, value=level)
        for hour, level in enumerate(levels)
        if level is not None
    ]


def test_bins_and_rounds_of_the_service(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    rng = random.Random(5)
    told = next(bins(rng, MONDAY))
    timeseries = MemoryTimeseries()
    start = SHANGHAI_NOON - timedelta(days=70, hours=12)
    timeseries.write(
        [
            *samples(key("bin-1"), months(told, start, 71, rng)[: 70 * 24 + 12], SHANGHAI_NOON),
            *samples(key("bin-2"), [0.4, 0.9], SHANGHAI_NOON),
            *samples(key("bin-3"), [0.4] + [None] * 48, SHANGHAI_NOON),
            *samples(key("bin-4"), [0.3], SHANGHAI_NOON),
            *samples(key(CAMERA, "bin-5"), [0.7], SHANGHAI_NOON),
        ],
        1,
    )
    service = WasteService(folder.reader("state"), timeseries, UTC)
    found = {one.device: one for one in service.bins(GUEST, SHANGHAI_NOON).items}
    first = found["bin-1"]
    assert first.skill is not None
    assert (first.full_at is not None) == (first.skill.count >= 30 and first.skill.skill >= 0.05)
    assert found["bin-2"].no_forecast == "too-little-history"
    assert found["bin-3"].level is None
    assert found["bin-3"].no_forecast == "not-known"
    assert found[CAMERA].label == "1 号电梯 · bin-5"
    assert found[CAMERA].place == f"{SITE}/{AREA}"
    made = service.round(GUEST, SHANGHAI_NOON)
    assert {one.bin.device: one.why for one in made.stops if one.bin.device != "bin-1"} == {
        "bin-2": "full",
        "bin-3": "not-known",
        CAMERA: "nearly-full",
    }
    assert made.left == 5 - len(made.stops)
    for hours in (0, -1, 73):
        with pytest.raises(NotUsable) as caught:
            service.round(GUEST, SHANGHAI_NOON, SHANGHAI_NOON + timedelta(hours=hours))
        assert caught.value.where == "until"
    folder.close()


def test_the_round_over_http_and_at_the_command_line(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    with running(folder) as client:
        client.headers.update(sign_in(client, "guest"))
        found = client.get("/api/v1/waste/round").json()
        assert found["stops"] == []
        assert found["order"] == "places"
        assert client.get("/api/v1/waste/bins").json() == {"items": [], "next": None}
        late = client.get("/api/v1/waste/round", params={"until": "2020-01-01T00:00:00Z"})
        assert late.status_code == 400
        assert client.get("/api/v1/waste/round", params={"until": "soon"}).status_code == 422
    config = tmp_path / "ingest.toml"
    config.write_text(f'data = "data"\n[site]\nid = "{SITE}"\nlabel = "春晖"\n{folder.toml}')
    runner = CliRunner()
    said = runner.invoke(waste, ["round", "--config", str(config)])
    walking = config.read_text(encoding="utf-8").replace(
        "[site]", '[site]\nwalk = ["b02", "b01/u1"]'
    )
    (tmp_path / "walk.toml").write_text(walking, encoding="utf-8")
    walked = runner.invoke(waste, ["round", "--json", "--config", str(tmp_path / "walk.toml")])
    assert json.loads(walked.output)["order"] == "walk"
    assert said.output == "0 to empty, in the order of their places; 0 can wait\n"
    said = runner.invoke(waste, ["bins", "--config", str(config), "--json"])
    assert said.output == '{"items":[],"next":null}\n'
    folder.close()
