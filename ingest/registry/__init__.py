"""Who and what there is: places, edge boxes, devices and what they hang behind, teams, people."""

from ingest.registry.enroll import UNKNOWN, Told, add_device, add_node, confirm, make_site
from ingest.registry.nodes import (
    Origin,
    camera_report,
    keep_description,
    keep_report,
    keep_status,
    key_fits,
    new_key,
    seen,
    seen_device,
    seen_node,
    status_of,
)

__all__ = [
    "UNKNOWN",
    "Origin",
    "Told",
    "add_device",
    "add_node",
    "camera_report",
    "confirm",
    "keep_description",
    "keep_report",
    "keep_status",
    "key_fits",
    "make_site",
    "new_key",
    "seen",
    "seen_device",
    "seen_node",
    "status_of",
]
