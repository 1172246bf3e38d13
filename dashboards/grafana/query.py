"""What a panel asks: InfluxQL of InfluxDB, or a path of our own API. Plain data, no SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboards.grafana.text import Lang, Text

Source = Literal["influx", "rest"]
Form = Literal["time_series", "table"]
INFLUX = {"type": "influxdb", "uid": "linli-influx"}
INFINITY = {"type": "yesoreyeram-infinity-datasource", "uid": "linli-api"}
DATASOURCES: dict[Source, dict[str, str]] = {"influx": INFLUX, "rest": INFINITY}


@dataclass(frozen=True, slots=True)
class Influx:
    """InfluxQL with Grafana's macros and variables in it; `alias` names series, `$tag_x` in it."""

    query: str
    alias: Text | None = None
    form: Form = "time_series"

    def to_json(self, ref: str, lang: Lang) -> dict[str, Any]:
        """Return the target as Grafana keeps it."""
        return {
            "refId": ref,
            "datasource": INFLUX,
            "rawQuery": True,
            "query": self.query,
            "alias": self.alias.said(lang) if self.alias else "",
            "resultFormat": self.form,
        }


@dataclass(frozen=True, slots=True)
class Rest:
    """A GET of our API for the Infinity data source.

    `columns` maps a selector inside one row to the name of its column; `root` is where the rows
    are, "" when the answer is the list itself. A column named `time` holds RFC 3339, or
    milliseconds where `millis` says so. `keep`: only rows whose column compares so. `named`: the
    answer names areas and devices, in the board's language.
    """

    path: str
    columns: Mapping[str, str]
    root: str = "items"
    params: tuple[tuple[str, str], ...] = ()
    numbers: frozenset[str] = field(default_factory=frozenset)
    times: frozenset[str] = field(default_factory=frozenset)
    form: Form = "table"
    millis: bool = False
    keep: tuple[str, Literal["==", ">=", "<"], str | bool | float] | None = None
    named: bool = False

    def to_json(self, ref: str, lang: Lang) -> dict[str, Any]:
        """Return the target as Grafana keeps it; the address lacks the base that the source has."""
        params = (*self.params, ("lang", lang)) if self.named else self.params
        return {
            "refId": ref,
            "datasource": INFINITY,
            "type": "json",
            "source": "url",
            "parser": "backend",
            "format": "timeseries" if self.form == "time_series" else "table",
            "url": self.path,
            "url_options": {
                "method": "GET",
                "params": [{"key": key, "value": value} for key, value in params],
            },
            "root_selector": self.root,
            "columns": [
                {"selector": selector, "text": name, "type": self._type(name)}
                for selector, name in self.columns.items()
            ],
            "filters": [],
            **({"filterExpression": _compared(*self.keep)} if self.keep else {}),
        }

    def _type(self, name: str) -> str:
        if name == "time" or name in self.times:
            return "timestamp_epoch" if self.millis else "timestamp"
        if self.keep and self.keep[0] == name and isinstance(self.keep[2], bool):
            return "boolean"
        return "number" if name in self.numbers else "string"


def _compared(column: str, how: str, wanted: str | bool | float) -> str:
    return f"{column} {how} {str(wanted).lower() if isinstance(wanted, bool) else repr(wanted)}"


Query = Influx | Rest
