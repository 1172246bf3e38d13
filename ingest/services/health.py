"""How devices and edge boxes are doing, out of the registry's rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest import registry
from ingest.services.views import DeviceView, Health, NodeView
from ingest.store.registry import DISCOVERED
from linli.codec import decode_part
from linli.events import CameraReport, NodeState, ReportData, Status

SILENT = timedelta(seconds=180)
"""A node that was not heard of for this long is not there, whatever it last said."""


class _CameraState(msgspec.Struct):
    state: str


def device_view(row: Sequence[Any], behind: Health, parked: int) -> DeviceView:
    """Return what people see of a device behind such a box, for which `parked` messages wait."""
    # By position: of thousands of devices, looking columns up by name is most of the work.
    site, area, box, name, label, kind, subject, standing, seen, report = row
    camera = registry.camera_report(report)
    return DeviceView(
        site=site,
        area=area,
        node=box,
        device=name,
        label=label,
        kind=kind,
        subject=subject,
        standing=standing,
        state=camera.state if camera else "unknown",
        health=_device_health(standing, behind, camera),
        last_seen=seen,
        fps=camera.fps if camera else None,
        dropped=camera.dropped if camera else None,
        detail=camera.detail if camera else None,
        parked=parked,
    )


def camera_health(behind: Health, report: str) -> Health:
    """Return how a camera in use does behind such a box, by the report kept in its row."""
    return _camera_health(behind, msgspec.json.decode(report, type=_CameraState).state)


def _device_health(standing: str, behind: Health, camera: CameraReport | None) -> Health:
    if standing == DISCOVERED:
        return "unknown"
    return behind if camera is None else _camera_health(behind, camera.state)


def _camera_health(behind: Health, state: str) -> Health:
    if behind in ("unknown", "down"):
        return behind
    match state:
        case "streaming":
            return "ok"
        case "failed":
            return "down"
        case _:
            return "degraded"


def node_view(row: sa.Row[Any], now: datetime, turned_away: int, *, broken: bool) -> NodeView:
    """Return what people see of a box; `broken`: it lately broke the contract."""
    status, report = _status(row), _report(row)
    health = node_health(row, now)
    return NodeView(
        site=row.site,
        area=row.area,
        node=row.node,
        label=row.label,
        standing=row.standing,
        state=status.state if status else "unknown",
        health="degraded" if broken and health == "ok" else health,
        last_seen=row.last_seen,
        since=status.since if status else None,
        agent=report.agent if report else status.agent if status else None,
        uptime=report.uptime if report else None,
        rss=report.rss if report else None,
        diskfree=report.diskfree if report else None,
        lanes=report.lanes if report else (),
        restarts=report.restarts if report else 0,
        fell=report.fell if report else None,
        model_fault=report.model if report else None,
        turned_away=turned_away,
    )


def node_health(row: sa.Row[Any], now: datetime) -> Health:
    """Return how a box does, by its last words and when it was heard of."""
    status, report = _status(row), _report(row)
    state: NodeState | None = status.state if status else None
    if row.last_seen is None or state is None:
        return "unknown"
    if state in ("lost", "stopped") or now - row.last_seen > SILENT:
        return "down"
    losing = report is not None and (
        report.damaged > 0
        or report.model is not None
        or any(lane.evicted or lane.dead for lane in report.lanes)
    )
    return "degraded" if state == "init" or losing else "ok"


def _status(row: sa.Row[Any]) -> Status | None:
    return msgspec.json.decode(row.status, type=Status) if row.status else None


def _report(row: sa.Row[Any]) -> ReportData | None:
    return decode_part(row.report.encode(), ReportData) if row.report else None
