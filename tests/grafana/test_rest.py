"""The boards without InfluxDB: what the Infinity data source would ask, asked of our own API."""

from __future__ import annotations

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
MARKS = [mark["target"] for board in BOARDS for mark in board["annotations"]["list"]]
PANELS = [
    pytest.param(panel["title"], target, id=f"{board['uid']}-{panel['id']}{target['refId']}")
    for board in BOARDS
    for panel in board.get("panels", [])
    for target in panel.get("targets", [])
]
# True of this community: every box is back, every camera is seen, the live feed has no listener.
NOTHING = {"离线的边缘盒子", "没有画面的摄像头"}


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
        accounts.add_account(connection, "grafana", "viewer", now, PASSWORDS["guest"][1])
        token = accounts.add_token(
            connection, "grafana", "boards", {"see"}, now=now, lasts=timedelta(days=1)
        )
    headers = {"Authorization": f"Bearer {token}"}
    app = create_app(folder.settings, clock=folder.clock)
    with TestClient(app, base_url="http://linli.test", headers=headers) as client:
        yield client


def ask(client: TestClient, target: dict[str, Any], look: Look) -> list[dict[str, Any]]:
    """Return the rows of a target, as its columns select them."""
    assert target["url_options"]["method"] == "GET"
    params = [(one["key"], address(one["value"], look)) for one in target["url_options"]["params"]]
    answer = client.get(target["url"], params=params)
    assert answer.status_code == 200, answer.text
    found: Any = answer.json()
    for part in filter(None, target["root_selector"].split(".")):
        found = found[part]
    rows = found if isinstance(found, list) else [found]
    table = [{one["text"]: value(row, one) for one in target["columns"]} for row in rows]
    if "filterExpression" not in target:
        return table
    column, _, said = target["filterExpression"].partition(" == ")
    wanted = {"true": True, "false": False}.get(said, said.strip("'"))
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


def look(community: Community) -> Look:
    return Look(community.end - timedelta(hours=24), community.end, {})


@pytest.mark.parametrize(("title", "target"), PANELS)
def test_every_panel_has_something_to_show(
    client: TestClient, community: Community, title: str, target: dict[str, Any]
) -> None:
    rows = ask(client, target, look(community))
    if title not in NOTHING:
        assert rows
    if "value" in {one["text"] for one in target["columns"]}:
        assert any(row["value"] is not None for row in rows)


def test_incidents_are_marks_in_charts(client: TestClient, community: Community) -> None:
    assert MARKS
    for target in MARKS:
        assert target["format"] == "dataframe"
        rows = ask(client, target, look(community))
        assert {"time", "text", "tags"} <= set(rows[0])
    waste = next(one for one in BOARDS if one["uid"] == "linli-waste")["annotations"]["list"]
    rows = ask(client, waste[0]["target"], look(community))
    assert {row["text"] for row in rows} == {"bin-full"}


def test_both_sources_count_the_same(client: TestClient, community: Community) -> None:
    board = next(one for one in BOARDS if one["uid"] == "linli-overview")
    counts = {
        panel["title"]: len(ask(client, panel["targets"][0], look(community)))
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
        panel["title"]: [ask(client, one, span) for one in panel["targets"]]
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
    for _, target in (case.values for case in PANELS):
        answer = client.get(target["url"], headers={"Authorization": "Bearer no"})
        assert answer.status_code == 401


def test_what_a_board_lacks_without_influxdb_stands_on_it() -> None:
    shown = 0
    for board, whole in zip(BOARDS, shipped.boards("zh", "influx"), strict=True):
        asked = [panel for panel in board["panels"] if panel.get("targets")]
        lacking = {one["title"] for one in whole["panels"]} - {
            one["title"] for one in board["panels"] if one["type"] != "row"
        }
        lacking -= {one["title"] for one in whole["panels"] if one["type"] == "row"}
        note = "".join(
            one["options"]["content"] for one in board["panels"] if one["type"] == "text"
        )
        assert asked
        assert lacking <= set(note.partition("\n")[0].split("、"))
        shown += len(asked)
    assert shown >= 68


def test_a_board_of_one_kind_lists_no_other(client: TestClient, community: Community) -> None:
    board = next(one for one in BOARDS if one["uid"] == "linli-waste")
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            if "filterExpression" in target:
                rows = ask(client, target, look(community))
                assert {row["name"] for row in rows} == {"bin-full"}
