"""The boards as they are shipped: current, whole, named in both languages, true to the schema."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, get_args

import pytest
import yaml
from board_lint import faults, influxql_faults

pytest.importorskip("grafana_foundation_sdk", reason="boards are built with the extra 'dev'")

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import shipped, words
from dashboards.grafana.alerts import RULES
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.boards.incidents import BOOKKEEPING
from dashboards.grafana.build import columns_of
from dashboards.grafana.generate import stale
from dashboards.grafana.query import Source
from dashboards.grafana.text import LANGS, Lang, Text
from dashboards.web import words as pages
from edge.spool_lanes import Lane
from ingest.incidents.incident import Step

EVERY = [(lang, source) for lang in LANGS for source in ("influx", "rest")]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def read(lang: Lang, source: Source) -> list[dict[str, Any]]:
    return list(shipped.boards(lang, source))


def sources_of(name: str) -> dict[str, str]:
    data = yaml.safe_load((shipped.FILES / "datasources" / f"{name}.yaml").read_text("utf-8"))
    return {one["uid"]: one["type"] for one in data["datasources"]}


def test_the_files_are_those_of_the_code() -> None:
    assert stale(shipped.FILES) == [], "python -m dashboards.grafana.generate"


@pytest.mark.parametrize(("lang", "source"), EVERY)
def test_nothing_is_wrong_with_a_board(lang: Lang, source: Source) -> None:
    boards = read(lang, source)
    assert len(boards) == len(BOARDS) == 8
    assert len({one["uid"] for one in boards}) == len({one["title"] for one in boards}) == 8
    for board in boards:
        assert list(faults(board, sources_of(source))) == []


@pytest.mark.parametrize("source", ["influx", "rest"])
def test_both_languages_show_the_same_in_their_own_words(source: Source) -> None:
    for zh, en in zip(read("zh", source), read("en", source), strict=True):
        assert shape(zh) == shape(en)
        assert not CHINESE.search(json.dumps(en, ensure_ascii=False))
        assert all(CHINESE.search(panel["title"]) for panel in zh.get("panels", []))


def shape(board: dict[str, Any]) -> list[Any]:
    panels = board.get("panels", [])
    return [(one["id"], one["type"], one["gridPos"], queries(one)) for one in panels]


def queries(panel: dict[str, Any]) -> list[str]:
    return [one.get("query", one.get("url", "")) for one in panel.get("targets", [])]


@pytest.mark.parametrize(("lang", "source"), EVERY)
def test_a_board_survives_the_sdk(lang: Lang, source: Source) -> None:
    register_default_plugins()
    for board in read(lang, source):
        again = json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(board))))
        for one in (board, again):  # the SDK does not know what a data source asks for marks
            for mark in one["annotations"]["list"]:
                mark.pop("target")
        assert again == board


def test_a_panel_has_the_same_id_whatever_answers_it() -> None:
    for influx, rest in zip(read("zh", "influx"), read("zh", "rest"), strict=True):
        titles = {one["id"]: one["title"] for one in influx["panels"]}
        for panel in rest["panels"]:
            assert titles[panel["id"]] == panel["title"]


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda one: one["targets"][0].update(query='SELECT "knd" FROM "event"'), "no 'knd'"),
        (lambda one: one["targets"][0].update(query='SELECT "value" FROM "readings"'), "not one"),
        (lambda one: one["targets"][0].update(query='from(bucket: "x") |> range()'), "not one"),
        (
            lambda one: one["targets"][0].update(
                query='SELECT "value" FROM "linli" WHERE "metric" = \'lagg\' AND $sites'
            ),
            "no metric 'lagg'",
        ),
        (lambda one: one["datasource"].update(uid="linli-influxx"), "no provisioned"),
        (lambda one: one["gridPos"].update(x=20), "outside of the grid"),
        (lambda one: one["gridPos"].update(y=one["gridPos"]["y"] - 1), "lies over"),
        (lambda one: one.pop("id"), "ids are missing"),
        (lambda one: one["fieldConfig"]["defaults"].pop("unit"), "unit is None"),
        (lambda one: one["fieldConfig"]["defaults"].pop("noValue"), "what no data is"),
        (lambda one: one["targets"].append(one["targets"][0]), "refIds"),
    ],
)
def test_what_is_wrong_is_found(break_it: Any, said: str) -> None:
    board = read("en", "influx")[0]
    panel = next(one for one in board["panels"] if one["type"] == "table")
    break_it(panel)
    assert any(said in fault for fault in faults(board, sources_of("influx")))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda one: one.update(url="/api/v1/no-such"), "no such path"),
        (lambda one: one["url_options"]["params"][0].update(key="stat"), "takes no 'stat'"),
        (
            lambda one: one["url_options"]["params"].append(
                {"key": "area", "value": "${buildings:csv}"}
            ),
            "no variable 'buildings'",
        ),
    ],
)
def test_what_the_api_does_not_know_is_found(break_it: Any, said: str) -> None:
    board = read("en", "rest")[0]
    assert list(faults(board, sources_of("rest"))) == []
    break_it(next(one for one in board["panels"] if one["type"] == "table")["targets"][0])
    assert any(said in fault for fault in faults(board, sources_of("rest")))


def test_two_boards_may_not_be_one() -> None:
    board = read("en", "influx")[0]
    board["panels"][2]["id"] = board["panels"][1]["id"]
    assert any("not unique" in fault for fault in faults(board, sources_of("influx")))


def test_every_text_is_said_in_both_languages() -> None:
    said = list(texts(BOARDS))
    assert len(said) > 200
    for text in said:
        assert text.zh.strip()
        assert text.en.strip()
        assert not CHINESE.search(text.en), text.en


def texts(part: Any) -> Any:
    if isinstance(part, Text):
        yield part
    elif isinstance(part, (list, tuple)):
        for one in part:
            yield from texts(one)
    elif isinstance(part, dict):
        yield from texts(list(part.values()))
    elif hasattr(part, "__dataclass_fields__"):
        yield from texts([getattr(part, name) for name in part.__dataclass_fields__])


def test_columns_of_a_query_are_its_own_not_those_inside() -> None:
    inner = '(SELECT last("a") AS "b", "c" FROM "m" GROUP BY "slot")'
    assert columns_of(f'SELECT "c" FROM {inner} WHERE "b" = 1') == ("Time", "c")
    assert columns_of('SELECT last("a") AS "b", "c" FROM "m" GROUP BY "x", "y"') == (
        "Time",
        "b",
        "c",
        "x",
        "y",
    )


@pytest.mark.parametrize("lang", LANGS)
def test_a_health_rule_can_fire_and_never_for_want_of_data(lang: Lang) -> None:
    text = (shipped.FILES / "alerting" / f"{lang}.yaml").read_text("utf-8")
    data = yaml.safe_load(text)
    (group,) = data["groups"]
    boards = {one["uid"]: one for one in read(lang, "influx")}
    (receiver,) = (one["name"] for one in data["contactPoints"])
    assert len(group["rules"]) == len(RULES) == 5
    for rule in group["rules"]:
        assert (rule["noDataState"], rule["execErrState"]) == ("OK", "KeepLast")
        assert rule["notification_settings"]["receiver"] == receiver
        assert rule["panelId"] in [one["id"] for one in boards[rule["dashboardUid"]]["panels"]]
        steps = {one["refId"]: one["model"] for one in rule["data"]}
        assert rule["condition"] == "C"
        assert steps["C"]["expression"] == "B"
        assert steps["B"]["expression"] == "A"
        assert list(influxql_faults(steps["A"]["query"], [])) == []
        # Grafana would take it for a variable of its environment.
        assert "$" not in json.dumps([rule["labels"], rule["annotations"], rule["title"]])


def test_no_secret_and_no_notification_tree_is_shipped() -> None:
    for path in shipped.FILES.rglob("*.yaml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        assert "policies" not in data
        for source in data.get("datasources", []):
            assert all("${" in value for value in source["secureJsonData"].values())
        for point in data.get("contactPoints", []):
            settings = point["receivers"][0]["settings"]
            assert settings["authorization_credentials"] == "${LINLI_TOKEN}"


def test_what_linli_s_pages_have_words_for_has_words_here_too() -> None:
    assert set(pages.EVENTS) <= set(words.EVENTS)
    assert set(get_args(Step)) - BOOKKEEPING == set(words.STEPS) - BOOKKEEPING
    assert set(get_args(Lane)) == set(words.LANES)
