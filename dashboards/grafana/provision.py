"""Grafana's provisioning files. Addresses and secrets are variables of Grafana's environment."""

from __future__ import annotations

from typing import Any

from dashboards.grafana.query import INFINITY, INFLUX, Source
from dashboards.grafana.text import Lang, Text

HOME = "/etc/grafana/provisioning"
"""The folder in the files as they are shipped; `render` puts in another."""
BOARDS_FOLDER = "dashboards/linli"


def datasource(source: Source) -> dict[str, Any]:
    """Return the file of one data source, with the fixed uid that boards name."""
    made = _influx() if source == "influx" else _api()
    return {"apiVersion": 1, "datasources": [made]}


def boards(lang: Lang) -> dict[str, Any]:
    """Return the file that tells Grafana where the boards lie."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "linli",
                "orgId": 1,
                "folder": Text("邻里", "Linli").said(lang),
                "folderUid": "linli",
                "type": "file",
                "disableDeletion": False,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 30,
                "options": {"path": f"{HOME}/{BOARDS_FOLDER}"},
            }
        ],
    }


def _influx() -> dict[str, Any]:
    return {
        "name": INFLUX["uid"],
        "uid": INFLUX["uid"],
        "type": INFLUX["type"],
        "access": "proxy",
        "url": "${INFLUX_URL}",
        "isDefault": True,
        "editable": False,
        "jsonData": {
            "version": "InfluxQL",
            "dbName": "${INFLUX_DATABASE}",
            "httpMode": "POST",
            "timeInterval": "15s",
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {"httpHeaderValue1": "Token ${INFLUX_TOKEN}"},
    }


def _api() -> dict[str, Any]:
    return {
        "name": INFINITY["uid"],
        "uid": INFINITY["uid"],
        "type": INFINITY["type"],
        "access": "proxy",
        "url": "${LINLI_URL}",
        "editable": False,
        "jsonData": {"auth_method": "bearerToken", "allowedHosts": ["${LINLI_URL}"]},
        "secureJsonData": {"bearerToken": "${LINLI_TOKEN}"},
    }
