"""Slow health rules for Grafana's own alerting; what they say comes back to our webhook.

No `$` stands in a label or an annotation: Grafana's provisioning would take it for a variable of
its environment. Templates reach a series' labels as `.Labels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from dashboards.grafana.query import INFLUX, Influx
from dashboards.grafana.text import Lang, Text

RECEIVER = "linli"
GROUP = "linli-health"
FOLDER = Text("邻里 · 系统健康", "Linli health")
"""Not the folder of the boards: rules are read first, and would make it under another uid."""
EXPRESSION = "__expr__"
GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fires for a series whose last value over `span` seconds is `than` its `limit`, for so long.

    `board` and `panel` are where a person looks next.
    """

    uid: str
    title: Text
    summary: Text
    query: str
    than: Literal["lt", "gt"]
    limit: float
    lasts: str
    severity: Literal["high", "medium", "low"]
    board: str
    panel: int
    span: int = 3600


DAY = 86_400
RULES = (
    Rule(
        uid="linli-edge-offline",
        title=Text("边缘盒子离线", "Edge box offline"),
        summary=Text(
            "{{ .Labels.area }} 的边缘盒子 {{ .Labels.node }} 离线",
            "Edge box {{ .Labels.node }} in {{ .Labels.area }} is offline",
        ),
        query='SELECT last("up") FROM "presence" WHERE $timeFilter GROUP BY "site", "area", "node"',
        than="lt",
        limit=1,
        lasts="10m",
        severity="high",
        board="linli-edges",
        panel=101,
        span=30 * DAY,
    ),
    Rule(
        uid="linli-edge-disk",
        title=Text("边缘盒子磁盘将满", "Edge box runs out of disk"),
        summary=Text(
            "{{ .Labels.area }} 的边缘盒子 {{ .Labels.node }} 磁盘剩余不到 1 GiB",
            "Edge box {{ .Labels.node }} in {{ .Labels.area }} has less than 1 GiB of disk left",
        ),
        query=(
            'SELECT last("disk_free") FROM "health" WHERE $timeFilter '
            'GROUP BY "site", "area", "node"'
        ),
        than="lt",
        limit=GIB,
        lasts="15m",
        severity="medium",
        board="linli-edges",
        panel=102,
    ),
    Rule(
        uid="linli-ingest-lag",
        title=Text("消息处理落后", "Messages are not worked off"),
        summary=Text(
            "环节 {{ .Labels.of }} 落后超过 1000 行",
            "Step {{ .Labels.of }} is more than 1000 rows behind",
        ),
        query=(
            'SELECT min("value") FROM "linli" WHERE "metric" = \'lag\' AND $timeFilter '
            'GROUP BY time(5m), "site", "of" fill(none)'
        ),
        than="gt",
        limit=1000,
        lasts="10m",
        severity="medium",
        board="linli-delivery",
        panel=204,
    ),
    Rule(
        uid="linli-chain-red",
        title=Text("送达链路不通", "The chain of delivery is red"),
        summary=Text(
            "试探消息没有走通全程，事件可能送不到",
            "Probes do not come through: events may not arrive",
        ),
        query=(
            'SELECT last("value") FROM "linli" WHERE "metric" = \'chain_green\' AND '
            '$timeFilter GROUP BY "site"'
        ),
        than="lt",
        limit=1,
        lasts="5m",
        severity="high",
        board="linli-delivery",
        panel=101,
    ),
    Rule(
        uid="linli-influx-parked",
        title=Text("InfluxDB 拒绝了数据", "InfluxDB refused points"),
        summary=Text(
            "有数据点被 InfluxDB 拒绝，等人处理（linli influx park list）",
            "Points that InfluxDB refused wait for a person (linli influx park list)",
        ),
        query=(
            'SELECT last("value") FROM "linli" WHERE "metric" = \'influx_parked\' AND '
            '$timeFilter GROUP BY "site"'
        ),
        than="gt",
        limit=0,
        lasts="30m",
        severity="low",
        board="linli-self",
        panel=103,
    ),
)


def rules_of(lang: Lang) -> dict[str, Any]:
    """Return the provisioning file: the rules, and the contact point that they go to.

    No notification policy: a file with one would replace the whole tree of whoever runs Grafana.
    """
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": GROUP,
                "folder": FOLDER.said(lang),
                "interval": "1m",
                "rules": [_rule(one, lang) for one in RULES],
            }
        ],
        "contactPoints": [
            {
                "orgId": 1,
                "name": RECEIVER,
                "receivers": [
                    {
                        "uid": "linli-webhook",
                        "type": "webhook",
                        "settings": {
                            "url": "${LINLI_URL}/webhook/grafana",
                            "httpMethod": "POST",
                            "authorization_scheme": "Bearer",
                            "authorization_credentials": "${LINLI_TOKEN}",
                            "maxAlerts": "100",
                        },
                    }
                ],
            }
        ],
    }


def _rule(rule: Rule, lang: Lang) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.title.said(lang),
        "condition": "C",
        "data": [
            _step("A", rule.span, INFLUX["uid"], Influx(rule.query).to_json("A", lang)),
            _step("B", rule.span, EXPRESSION, _expression("B", type="reduce", reducer="last")),
            _step("C", rule.span, EXPRESSION, _expression("C", type="threshold", **_limit(rule))),
        ],
        "dashboardUid": rule.board,
        "panelId": rule.panel,
        # Nothing to judge by is no alarm: our own pages say when data stops, and only once.
        "noDataState": "OK",
        "execErrState": "KeepLast",
        "for": rule.lasts,
        "annotations": {"summary": rule.summary.said(lang)},
        "labels": {"rule": rule.uid.removeprefix("linli-"), "severity": rule.severity},
        "notification_settings": {
            "receiver": RECEIVER,
            "group_by": ["alertname", "grafana_folder"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
        },
        "isPaused": False,
    }


def _step(ref: str, span: int, source: str, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref,
        "relativeTimeRange": {"from": span, "to": 0},
        "datasourceUid": source,
        "model": model,
    }


def _expression(ref: str, **values: Any) -> dict[str, Any]:
    before = {"B": "A", "C": "B"}[ref]
    return {
        "refId": ref,
        "datasource": {"type": EXPRESSION, "uid": EXPRESSION},
        "expression": before,
        **values,
    }


def _limit(rule: Rule) -> dict[str, Any]:
    return {"conditions": [{"evaluator": {"type": rule.than, "params": [rule.limit]}}]}
