"""The macros as Grafana expands them: what the proof of the queries stands on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from grafana import ALL, Look, address, escaped, influxql, options

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SITE = {
    "name": "site",
    "type": "query",
    "multi": True,
    "allValue": ".*",
    "current": {"value": [ALL]},
}


def look(span: timedelta = timedelta(hours=24), **chosen: Any) -> Look:
    return Look(START, START + span, chosen)


def test_time_is_a_range_in_milliseconds_with_both_ends() -> None:
    said = influxql("WHERE $timeFilter", look(), [], "")
    assert said == "WHERE time >= 1772452800000ms and time <= 1772539200000ms"


@pytest.mark.parametrize(
    ("span", "least", "interval"),
    [
        (timedelta(hours=1), "", "5s"),
        (timedelta(hours=24), "", "2m"),
        (timedelta(hours=24), "10m", "10m"),
        (timedelta(hours=24), "15s", "2m"),
        (timedelta(days=7), "1h", "1h"),
        (timedelta(days=30), "", "1h"),
        (timedelta(days=365), "", "12h"),
        (timedelta(days=3650), "", "1d"),
    ],
)
def test_the_interval_follows_the_span_and_is_never_below_what_a_panel_asks(
    span: timedelta, least: str, interval: str
) -> None:
    assert influxql("time($__interval)", look(span), [], least) == f"time({interval})"


def test_all_is_put_in_as_it_is_and_choices_are_escaped() -> None:
    query = '"site" =~ /^$site$/'
    assert influxql(query, look(), [SITE], "") == '"site" =~ /^.*$/'
    assert influxql(query, look(site="c001"), [SITE], "") == '"site" =~ /^c001$/'
    assert influxql(query, look(site=["c001"]), [SITE], "") == '"site" =~ /^c001$/'
    assert influxql(query, look(site=["a", "b.c"]), [SITE], "") == '"site" =~ /^(a|b\\.c)$/'


def test_a_choice_cannot_end_the_expression() -> None:
    assert escaped("x/ OR 1=1 --") == "x\\/ OR 1=1 --"
    assert escaped("a|b") == "a\\|b"


def test_what_begins_as_a_number_stays_as_it_is() -> None:
    assert escaped("3.5") == "3.5"
    assert escaped("b03.1") == "b03\\.1"


def test_a_name_that_is_no_variable_stays() -> None:
    assert influxql("/^$nobody$/", look(), [SITE], "") == "/^$nobody$/"


def test_options_are_read_by_named_groups() -> None:
    answer = [{"values": [[0, "1 号楼 (b01)"], [0, "(x) (b02)"], [0, "no id"]]}]
    regex = r"/^(?<text>.*) \((?<value>[^()]+)\)$/"
    assert options(answer, regex) == [("(x)", "b02"), ("1 号楼", "b01")]
    assert options([{"values": [["site", "c001"]]}], "") == [("c001", "c001")]


def test_addresses_take_milliseconds() -> None:
    assert address("${__timeFrom}-${__timeTo}", look()) == "1772452800000-1772539200000"
    dates = address("${__from:date:iso} ${__to:date:iso}", look())
    assert dates == "2026-03-02T12:00:00.000Z 2026-03-03T12:00:00.000Z"
