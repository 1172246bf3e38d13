"""The boards without InfluxDB: what the Infinity data source would ask, asked of our own API."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from community import Community, lived
from fastapi.testclient import TestClient
from grafana import Look, address
from house import PASSWORDS

from dashboards.grafana import shipped
from ingest.accounts import book as accounts
from ingest.app import create_app
from ingest.store import journal
from ingest.store.engine import reading, to_micros, writing
from ingest.store.incidents import transition

BOARDS = list(shipped.boards("zh", "rest"))
MARKS = [(board, mark["target"]) for board in BOARDS for mark in board["annotations"]["list"]]
PANELS = [
    pytest.param(board, panel, target, id=f"{board['uid']}-{panel['id']}{target['refId']}")
    for board in BOARDS
    for panel in board.get("panels", [])
    for target in panel.get("targets", [])
]
# True of this community: every box is back, every camera is seen, the live feed has no listener.
NOTHING = {"离线的边缘盒子", "没有画面的摄像头"}
# Where there is one row in these days.
ALONE = {"被拒收的消息", "闪烁的灯", "未解决的灯具故障", "未解决的垃圾桶事件"}
COMPARED = {">=": operator.ge, "<": operator.lt}


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Community]:
    with lived(tmp_path_factory.mktemp("lived")) as community:
        folder = community.folder
        with writing(folder.journal) as connection:
            row = {
                "topic": "t",
                "node": "c001-n01",
                "code": "schema",
                "path": "$.data",
                "what": "x",
            }
            row |= {"sha256": "0" * 64, "received": to_micros(community.end)}
            connection.execute(journal.reject.insert(), row)
        yield community


@pytest.fixture(scope="module")
def client(community: Community) -> Iterator[TestClient]:
    folder = community.folder
    with writing(folder.state) as connection:
        now = folder.clock.now()
        accounts.add_account(connection, "grafana", "street", now, PASSWORDS["guest"][1])
        token = accounts.add_token(
            connection, "grafana", "boards", {"see"}, now=now, lasts=timedelta(days=1)
        )
    headers = {"Authorization": f"Bearer {token}"}
    app = create_app(folder.settings, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test", headers=headers) as client:
        yield client


def ask(
    client: TestClient, target: dict[str, Any], look: Look, board: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of a target, as its columns select them."""
    assert target["url_options"]["method"] == "GET"
    variables = board["templating"]["list"]
    params = [
        (one["key"], address(one["value"], look, variables))
        for one in target["url_options"]["params"]
    ]
    assert "$" not in str(params)
    answer = client.get(target["url"], params=params)
    assert answer.status_code == 200, answer.text
    found: Any = answer.json()
    for part in filter(None, target["root_selector"].split(".")):
        found = found[part]
    rows = found if isinstance(found, list) else [found]
    table = [{one["text"]: value(row, one) for one in target["columns"]} for row in rows]
    if "filterExpression" not in target:
        return table
    column, how, said = target["filterExpression"].split(" ", 2)
    wanted = {"true": True, "false": False}.get(said, said.strip("'"))
    if how != "==":
        return [row for row in table if COMPARED[how](row[column], float(said))]
    return [row for row in table if row[column] == wanted]


def value(row: dict[str, Any], column: dict[str, str]) -> Any:
    """Return one cell; a selector that leads nowhere is a mistake of the board."""
    found: Any = row
    for part in column["selector"].split("."):
        assert part in found, f"{column['selector']} is not in {sorted(found)}"
        found = found[part]
    if found is not None and column["type"] == "number":
        assert isinstance(found, (int, float)), column
    if found is not None and column["type"] == "boolean":
        assert isinstance(found, bool), column
    if column["type"] == "timestamp_epoch":
        assert isinstance(found, int), column
    return found


def look(community: Community, **chosen: Any) -> Look:
    return Look(community.end - timedelta(hours=24), community.end, chosen)


@pytest.mark.parametrize(("board", "panel", "target"), PANELS)
def test_every_panel_has_something_to_show(
    client: TestClient,
    community: Community,
    board: dict[str, Any],
    panel: dict[str, Any],
    target: dict[str, Any],
) -> None:
    rows = ask(client, target, look(community), board)
    if panel["title"] not in NOTHING:
        assert rows
    columns = {one["text"] for one in target["columns"]}
    if "value" in columns and rows:
        assert any(row["value"] is not None for row in rows)
    # What InfluxDB draws over time or by group is so here, too.
    kind = panel["type"]
    if kind in ("timeseries", "state-timeline"):
        assert "time" in columns
        assert target["format"] == "timeseries"
        assert len({row["time"] for row in rows}) > 1
    if kind in ("bargauge", "table") and panel["title"] not in ALONE:
        assert len(rows) > 1
    if kind == "stat":
        wanted = panel["options"]["reduceOptions"].get("fields", ".*")
        assert any(re.fullmatch(wanted.strip("/"), name) for name in columns), wanted


@pytest.mark.parametrize(("board", "panel", "target"), PANELS)
def test_a_choice_of_a_building_shows_no_other(
    client: TestClient,
    community: Community,
    board: dict[str, Any],
    panel: dict[str, Any],
    target: dict[str, Any],
) -> None:
    asked = str(target["url_options"]["params"])
    if "building" not in asked:
        return
    rows = ask(client, target, look(community, building=["b02"]), board)
    for row in rows:
        for said in ("area", "line", "device", "label"):
            assert not re.match("[13] 号楼", str(row.get(said, ""))), (panel["title"], row)
    if board["uid"] == "linli-overview":
        everything = ask(client, target, look(community), board)
        assert ask(client, target, look(community, building=["b01", "b02", "b03"]), board) == (
            everything
        )


def test_a_choice_of_a_device_shows_no_other(client: TestClient, community: Community) -> None:
    board, _, target = next(case.values for case in PANELS if case.values[1]["title"] == "每一次")
    chosen = look(community, device=["c001-n01/cam-e1", "c001-n02/cam-e1"])
    rows = ask(client, target, chosen, board)
    assert {row["device"] for row in rows} <= {"1 号楼 1 号电梯", "2 号楼 1 号电梯"}
    assert rows
    assert ask(client, target, look(community, device=["c001-n09/x"]), board) == []


@pytest.mark.parametrize("board", BOARDS, ids=[board["uid"] for board in BOARDS])
def test_every_variable_has_options(
    client: TestClient, community: Community, board: dict[str, Any]
) -> None:
    found = {}
    for one in board["templating"]["list"]:
        if one["type"] == "query":
            assert one["query"]["queryType"] == "infinity"
            rows = ask(client, one["query"]["infinityQuery"], look(community), board)
            found[one["name"]] = {row["__value"]: row["__text"] for row in rows}
    assert found["site"] == {"c001": "春晖社区"}
    if "building" in found:
        assert found["building"]["b03"] == "3 号楼"
    if "device" in found:
        assert found["device"]["c001-n03/cam-e1"] == "3 号楼 1 号电梯"
        device = next(one for one in board["templating"]["list"] if one["name"] == "device")
        query = device["query"]["infinityQuery"]
        rows = ask(client, query, look(community, building=["b01"]), board)
        assert {row["__value"].partition("/")[0] for row in rows} == {"c001-n01"}


def test_incidents_are_marks_in_charts(client: TestClient, community: Community) -> None:
    assert MARKS
    for board, target in MARKS:
        assert target["format"] == "dataframe"
        rows = ask(client, target, look(community), board)
        assert {"time", "text", "tags"} <= set(rows[0])
    waste = next(one for one in BOARDS if one["uid"] == "linli-waste")
    rows = ask(client, waste["annotations"]["list"][0]["target"], look(community), waste)
    assert {row["text"] for row in rows} == {"bin-full"}


def test_both_sources_count_the_same(client: TestClient, community: Community) -> None:
    board = next(one for one in BOARDS if one["uid"] == "linli-overview")
    counts = {
        panel["title"]: len(ask(client, panel["targets"][0], look(community), board))
        for panel in board["panels"]
        if panel["type"] in ("stat", "table")
    }
    waiting = Counter(community.unresolved().values())
    assert (counts["紧急"], counts["重要"]) == (waiting["critical"], waiting["high"])
    assert counts["未解决的事件"] == waiting.total() >= 4


def test_counts_of_incidents_are_those_of_their_steps(
    client: TestClient, community: Community
) -> None:
    span = look(community)
    with reading(community.folder.reader("state")) as connection:
        wanted = sa.select(transition.c.step).where(
            transition.c.at >= span.start, transition.c.at < span.end
        )
        steps = Counter(connection.scalars(wanted))
    opened = steps["opened"] + steps["reopened"]
    assert opened > 0 < steps["resolved"]
    panels = {
        panel["title"]: [ask(client, one, span, board) for one in panel["targets"]]
        for board in BOARDS
        for panel in board["panels"]
        if board["uid"] in ("linli-overview", "linli-incidents") and panel.get("targets")
    }
    for title in ("各楼栋事件数", "新发生的事件", "按级别", "事件最多的设备"):
        (rows,) = panels[title]
        assert sum(row["value"] for row in rows) == opened, title
        assert len({row["group"] for row in rows}) > 1, title
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows), title
    assert [row["value"] for row in panels["已解决"][0]] == [steps["resolved"]]
    first, second = panels["发生与解决"]
    assert sum(row["opened"] for row in first) == opened
    assert sum(row["resolved"] for row in second) == steps["resolved"]
    answered, resolved = panels["响应和解决用时"]
    assert any(0 < row["answered"] <= row["slowest"] for row in answered if row["answered"])
    assert any(row["resolved"] for row in resolved)


def test_words_of_a_chart_find_their_lines() -> None:
    panel = next(
        panel
        for board in BOARDS
        if board["uid"] == "linli-incidents"
        for panel in board["panels"]
        if panel["title"] == "按级别"
    )
    said = {
        rule["matcher"]["options"].strip("/"): value["value"]
        for rule in panel["fieldConfig"]["overrides"]
        for value in rule["properties"]
        if value["id"] == "displayName"
    }
    for name in ("high", "value high", 'value {group="high"}'):
        assert [word for found, word in said.items() if re.search(found, name)] == ["重要"]
    assert not any(re.search(found, "value too-high") for found in said)


def test_bars_are_rows_of_a_table_or_series() -> None:
    seen = set()
    for board in BOARDS:
        for panel in board["panels"]:
            if panel["type"] == "bargauge":
                (target,) = panel["targets"]
                rows = panel["options"]["reduceOptions"].get("values", False)
                assert rows is (target["format"] == "table"), panel["title"]
                seen.add(rows)
    assert seen == {True, False}


def test_without_a_token_nothing_is_told(client: TestClient, community: Community) -> None:
    for _, _, target in (case.values for case in PANELS):
        answer = client.get(target["url"], headers={"Authorization": "Bearer no"})
        assert answer.status_code == 401


def test_no_panel_is_left_out() -> None:
    for board, whole in zip(BOARDS, shipped.boards("zh", "influx"), strict=True):
        assert [panel["title"] for panel in board["panels"]] == [
            panel["title"] for panel in whole["panels"]
        ]
        names = [one["name"] for one in board["templating"]["list"]]
        assert names == [one["name"] for one in whole["templating"]["list"]]


def test_a_board_of_one_kind_lists_no_other(client: TestClient, community: Community) -> None:
    board = next(one for one in BOARDS if one["uid"] == "linli-waste")
    lists = 0
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            if target["url"] == "/api/v1/incidents":
                rows = ask(client, target, look(community), board)
                assert {row["name"] for row in rows} == {"bin-full"}
                lists += 1
    assert lists == 2
