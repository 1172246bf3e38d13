"""A node's report about itself as readings: what of it makes a history. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from linli.events import ReportMessage

GROUP = "health"
"""Where such readings stand among those of the device `self`, or of the camera."""
UPTIME, STREAMING, DISK_FREE = "uptime", "streaming", "disk-free"


def figures(report: ReportMessage) -> Iterator[tuple[str, str, float]]:
    """Yield name, unit and value; what the report does not say is left out."""
    data = report.data
    yield UPTIME, "s", data.uptime
    yield "rss", "By", data.rss
    yield DISK_FREE, "By", data.diskfree
    yield "spool-depth", "1", sum(lane.pending for lane in data.lanes)
    yield "evicted", "1", sum(lane.evicted for lane in data.lanes)
    waiting = [lane.oldest for lane in data.lanes if lane.oldest is not None]
    if waiting:
        yield "oldest", "s", max(0.0, (report.time - min(waiting)).total_seconds())
    if data.config is not None:
        yield "config-refused", "1", data.config.refused is not None


def cameras(report: ReportMessage) -> Iterator[tuple[str, float]]:
    """Yield each camera and 1 while its pictures come, else 0."""
    for one in report.data.cameras:
        yield one.device, float(one.state == "streaming")
