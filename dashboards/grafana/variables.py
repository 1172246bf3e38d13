"""The variables and the annotations of a board."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from dashboards.grafana.panel import LINLI, RED, Board
from dashboards.grafana.query import DATASOURCES, INFLUX, Rest, Source
from dashboards.grafana.text import Lang, Text
from dashboards.grafana.where import AREA, HERE, RANGE, SITE

ADDRESS = "http://127.0.0.1:8470"
"""Where Linli's pages are until `linli grafana render --linli-url` says otherwise."""
LABELLED = r"/^(?<text>.*) \((?<value>[^()]+)\)$/"
"""How an option of a variable is read: what people call it, and in brackets its id."""
SITES = 'SHOW TAG VALUES FROM "label" WITH KEY = "site"'
BUILDINGS = (
    f'SELECT last("option") FROM "label" WHERE "kind" = \'area\' AND {SITE} GROUP BY "site", "area"'
)
DEVICES = (
    f'SELECT last("option") FROM "label" WHERE "kind" = \'device\' AND {AREA} '
    'GROUP BY "site", "node", "device"'
)
_MARKS = Text("事件", "Incidents")


def variables(board: Board, lang: Lang, source: Source) -> list[Builder[models.VariableModel]]:
    """Return site, building and device, and the hidden one with the address of Linli's pages."""
    found: list[Builder[models.VariableModel]] = [
        dashboard.ConstantVariable(LINLI).value(ADDRESS),
        _choice("site", Text("社区", "Community"), source, lang),
    ]
    if board.by_building:
        found.append(_choice("building", Text("楼栋/区域", "Building or area"), source, lang))
    if board.by_device:
        found.append(_choice("device", Text("设备", "Device"), source, lang))
    return found


_INFLUX = {"site": (SITES, ""), "building": (BUILDINGS, LABELLED), "device": (DEVICES, LABELLED)}
_REST: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "site": ("sites", ()),
    "building": ("areas", ()),
    "device": ("devices", HERE),
}


def _choice(name: str, label: Text, source: Source, lang: Lang) -> dashboard.QueryVariable:
    ref = DATASOURCES[source]
    made = (
        dashboard.QueryVariable(name)
        .label(label.said(lang))
        .datasource(models.DataSourceRef(type_val=ref["type"], uid=ref["uid"]))
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.NATURAL_ASC)
        .multi(True)
        .include_all(True)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )
    if source == "influx":
        query, regex = _INFLUX[name]
        return made.query(query).regex(regex).all_value(".*")
    what, params = _REST[name]
    asked = Rest(
        path=f"/api/v1/choices/{what}",
        root="",
        params=params,
        columns={"text": "__text", "value": "__value"},
        named=True,
    )
    query_of: dict[str, object] = {
        "queryType": "infinity",
        "query": "",
        "infinityQuery": asked.to_json("variable", lang),
    }
    return made.query(query_of).all_value("*")


def marks_query(board: Board) -> str:
    """Return the InfluxQL of a board's annotations: when incidents began."""
    one_of = f' AND "name" =~ /^({"|".join(board.incidents)})$/' if board.incidents else ""
    return (
        'SELECT "title", "severity", "name", "area" FROM "incident" WHERE '
        f"\"transition\" = 'opened'{one_of} AND {AREA} AND {RANGE}"
    )


_NEWEST = (("order", "newest"), ("limit", "100"))


def marks_rest(board: Board) -> Rest:
    """Return the API's newest incidents as annotations, of a board's kinds when it has any."""
    return Rest(
        path="/api/v1/incidents",
        params=(*(("event", one) for one in board.incidents), *HERE, *_NEWEST),
        columns={"first": "time", "key.event": "text", "severity": "tags"},
    )


class _Marks(models.AnnotationQuery):
    """The SDK's annotation with the fields of a data source, which it does not know."""

    def __init__(self, *, name: str, source: Source, target: dict[str, object]) -> None:
        ref = DATASOURCES[source]
        super().__init__(
            name=name,
            datasource=models.DataSourceRef(type_val=ref["type"], uid=ref["uid"]),
            enable=True,
            icon_color=RED,
        )
        self.fields = target

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "target": self.fields}


class _MarksBuilder(Builder[models.AnnotationQuery]):
    def __init__(self, made: _Marks) -> None:
        self._made = made

    def build(self) -> models.AnnotationQuery:
        return self._made


def marks(board: Board, lang: Lang, source: Source) -> list[Builder[models.AnnotationQuery]]:
    """Return the marks in a board's charts: incidents, where they began."""
    if not board.by_building:
        return []
    if source == "rest":
        target: dict[str, object] = {**marks_rest(board).to_json("A", lang), "format": "dataframe"}
    else:
        target = {
            "refId": "A",
            "datasource": INFLUX,
            "query": marks_query(board),
            "rawQuery": True,
            "fromAnnotations": True,
            "textEditor": True,
            "textColumn": "title",
            "tagsColumn": "severity,area",
        }
    return [_MarksBuilder(_Marks(name=_MARKS.said(lang), source=source, target=target))]
