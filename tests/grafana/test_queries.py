"""Every query of every board, asked as Grafana asks, of an InfluxDB that our own writer filled."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from community import Community, lived
from grafana import Look, influxql, options
from influx import NEEDS_INFLUXD, RunningServer, running_influxd, settings_of

from dashboards.grafana import shipped
from dashboards.grafana.alerts import RULES
from ingest.influx import gauges
from ingest.influx.endpoint import endpoint_of
from ingest.influx.lines import LineEncoder, Point
from ingest.influx.schema import HEALTH, PRESENCE
from ingest.store.engine import to_micros

pytestmark = NEEDS_INFLUXD
BOARDS = list(shipped.boards("zh", "influx"))
UIDS = [board["uid"] for board in BOARDS]
SPANS = {"now-24h": timedelta(hours=24), "now-7d": timedelta(days=7)}
LEAST = "15s"  # of the data source
# What only some buildings have.
ONLY_SOMEWHERE = {"闪烁的灯", "灯具故障", "未解决的灯具故障"}


class Days(NamedTuple):
    """A database with a community's days in it, and an empty one beside it."""

    server: RunningServer
    community: Community


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    folder = tmp_path_factory.mktemp("days")
    (folder / "influx").mkdir()
    with running_influxd(folder / "influx") as server:
        endpoint = endpoint_of(settings_of(server))
        with lived(folder / "ingest", endpoint) as community:
            endpoint.close()
            yield Days(server, community)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_influxd(tmp_path_factory.mktemp("empty")) as server:
        yield server


def look(board: dict[str, Any], days: Days, **chosen: Any) -> Look:
    return Look(days.community.end - SPANS[board["time"]["from"]], days.community.end, chosen)


def asked(board: dict[str, Any], look: Look) -> Iterator[tuple[str, str]]:
    """Yield what InfluxDB is asked for each panel, and for the marks in its charts."""
    variables = board["templating"]["list"]
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            least = panel.get("interval") or LEAST
            yield panel["title"], influxql(target["query"], look, variables, least)
    for mark in board["annotations"]["list"]:
        yield mark["name"], influxql(mark["target"]["query"], look, variables, LEAST)


def board_of(uid: str) -> dict[str, Any]:
    return next(board for board in BOARDS if board["uid"] == uid)


def chosen_by(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the variables of a board that ask something."""
    return [one for one in board["templating"]["list"] if one["type"] == "query"]


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_has_something_to_show(days: Days, uid: str) -> None:
    board = board_of(uid)
    for title, query in asked(board, look(board, days)):
        assert days.server.rows(query), f"{title}: {query}"


@pytest.mark.parametrize("uid", UIDS)
def test_with_no_data_there_is_nothing_and_no_error(
    days: Days, empty: RunningServer, uid: str
) -> None:
    board = board_of(uid)
    for title, query in asked(board, look(board, days)):
        assert empty.rows(query) == [], title
    for variable in chosen_by(board):
        query = influxql(variable["query"], look(board, days), board["templating"]["list"], "")
        assert empty.rows(query) == [], variable["name"]


@pytest.mark.parametrize("uid", UIDS)
def test_a_choice_of_one_building_or_two_asks_for_no_other(days: Days, uid: str) -> None:
    board = board_of(uid)
    for chosen in ("b01", ["b01", "b02"]):
        here = look(board, days, building=chosen, site=["c001"], device=["cam-e1", "cam-yard"])
        for title, query in asked(board, here):
            areas = {row["area"] for row in days.server.rows(query) if "area" in row}
            assert areas <= set([chosen] if isinstance(chosen, str) else chosen), title


def test_nothing_is_shown_of_a_site_that_is_not_chosen(days: Days) -> None:
    for board in BOARDS:
        for title, query in asked(board, look(board, days, site="elsewhere")):
            assert days.server.rows(query) == [], f"{board['uid']} {title}"


@pytest.mark.parametrize("uid", UIDS)
def test_variables_offer_what_there_is_by_its_name(days: Days, uid: str) -> None:
    board = board_of(uid)
    found = {}
    for variable in chosen_by(board):
        query = influxql(variable["query"], look(board, days), board["templating"]["list"], "")
        found[variable["name"]] = options(days.server.ask(query), variable["regex"])
    assert found["site"] == [("c001", "c001")]
    if "building" in found:
        assert found["building"] == [("1 号楼", "b01"), ("2 号楼", "b02"), ("3 号楼", "b03")]
    if "device" in found:
        devices = {value for _, value in found["device"]}
        assert devices == {"cam-e1", "cam-yard", "meter-1", "lux-1"}


def test_the_list_of_open_incidents_is_that_of_linli(days: Days) -> None:
    board = board_of("linli-overview")
    wanted = dict(asked(board, look(board, days)))["未解决的事件"]
    shown = days.server.rows(wanted)
    assert sorted(row["number"] for row in shown) == sorted(days.community.unresolved())
    assert len(shown) >= 4
    assert all(row["url"].startswith("/incidents/") for row in shown)


def test_numbers_of_what_waits_are_right(days: Days) -> None:
    board = board_of("linli-overview")
    said = dict(asked(board, look(board, days)))
    waiting = Counter(days.community.unresolved().values())
    assert days.server.rows(said["紧急"])[0]["open"] == waiting["critical"] >= 2
    assert days.server.rows(said["重要"])[0]["open"] == waiting["high"] >= 1
    assert days.server.rows(said["离线的边缘盒子"])[0]["down"] == 0


def test_a_severity_with_nothing_open_any_more_counts_as_none(days: Days) -> None:
    board = board_of("linli-self")
    titled = asked(board, look(board, days))
    query = next(query for title, query in titled if title == "未解决的事件")
    assert days.server.rows(query)[0]["sum"] == len(days.community.unresolved())


def test_a_box_that_was_away_shows_a_gap(days: Days) -> None:
    board = board_of("linli-edges")
    query = dict(asked(board, look(board, days)))["边缘盒子在线情况"]
    series = {one["tags"]["node"]: one["values"] for one in days.server.ask(query)}
    reports = {node: [row[1] for row in rows] for node, rows in series.items()}
    away = [count for count in reports["c001-n02"] if count == 0]
    there = [count for count in reports["c001-n01"] if count == 0]
    assert len(away) > len(there)


@pytest.mark.parametrize("rule", [one.uid for one in RULES])
def test_a_health_rule_asks_for_something_that_is_there(
    days: Days, empty: RunningServer, rule: str
) -> None:
    series = days.server.ask(asked_by(rule, days.community.end))
    assert series
    assert empty.ask(asked_by(rule, days.community.end)) == []
    for one in series:
        assert len(one["columns"]) == 2, "a time and the number that is reduced"
        assert all(isinstance(value, (int, float)) for _, value in one["values"])
        named = set(re.findall(r"\.Labels\.(\w+)", rule_of(rule)["annotations"]["summary"]))
        assert named <= set(one["tags"]), "what its words name must be a tag of its series"


def test_no_health_rule_fires_on_a_good_day_and_each_does_on_a_bad_one(
    days: Days, tmp_path: Path
) -> None:
    assert {one.uid: firing(one.uid, days.server, days.community.end) for one in RULES} == {
        one.uid: 0 for one in RULES
    }
    at = days.community.end - timedelta(minutes=1)
    with running_influxd(tmp_path) as server:
        endpoint, encoder = endpoint_of(settings_of(server)), LineEncoder()
        here = ("c001", "b03", "c001-n03")
        nothing = dict.fromkeys(field.name for field in HEALTH.fields)
        time = to_micros(at) * 1000
        bad = (
            Point(PRESENCE, here, ("lost", 0), time),
            Point(HEALTH, here, tuple({**nothing, "disk_free": 5 * 10**8}.values()), time),
            gauges.metric("c001", "lag", "series", 5000, at),
            gauges.metric("c001", "chain_green", "-", 0, at),
            gauges.metric("c001", "influx_parked", "-", 1, at),
        )
        endpoint.write("\n".join(encoder.line(point) for point in bad))
        endpoint.close()
        assert {one.uid: firing(one.uid, server, days.community.end) for one in RULES} == {
            one.uid: 1 for one in RULES
        }


def rule_of(uid: str) -> dict[str, Any]:
    text = (shipped.FILES / "alerting" / "zh.yaml").read_text("utf-8")
    (group,) = yaml.safe_load(text)["groups"]
    return next(one for one in group["rules"] if one["uid"] == uid)


def asked_by(uid: str, end: datetime) -> str:
    first = rule_of(uid)["data"][0]
    span = timedelta(seconds=first["relativeTimeRange"]["from"])
    return influxql(first["model"]["query"], Look(end - span, end, {}), [], LEAST)


def firing(uid: str, server: RunningServer, end: datetime) -> int:
    """Return how many series of a rule are beyond its limit, reduced and judged as it says."""
    _, reduce, limit = (one["model"] for one in rule_of(uid)["data"])
    assert (reduce["type"], reduce["reducer"], limit["type"]) == ("reduce", "last", "threshold")
    (condition,) = limit["conditions"]
    (value,) = condition["evaluator"]["params"]
    beyond = {"lt": operator.lt, "gt": operator.gt}[condition["evaluator"]["type"]]
    last = [one["values"][-1][1] for one in server.ask(asked_by(uid, end))]
    return sum(beyond(one, value) for one in last)


def test_the_pictures_script_is_fed_by_the_same_queries(days: Days, tmp_path: Path) -> None:
    drawing = pytest.importorskip("board_pictures", reason="pip install matplotlib")
    made = drawing.draw(board_of("linli-waste"), days.server, days.community.end, tmp_path)
    assert made.stat().st_size > 10_000
