"""What people see of devices and nodes, and the confirming of discovered ones."""

from __future__ import annotations

from datetime import datetime

from ingest.accounts.account import Viewer
from ingest.services.views import DeviceView, NodeView


class DeviceService:
    """Lists what hangs on the edges."""

    def list(self, viewer: Viewer, now: datetime) -> tuple[DeviceView, ...]:
        """Return all devices, discovered ones first, then by node and device."""
        raise NotImplementedError

    def nodes(self, viewer: Viewer, now: datetime) -> tuple[NodeView, ...]:
        """Return all edge boxes, by node."""
        raise NotImplementedError

    def confirm(
        self,
        viewer: Viewer,
        node: str,
        device: str,
        now: datetime,
        *,
        label: str | None = None,
        subject: str | None = None,
    ) -> DeviceView:
        """Accept a discovered device; its parked messages follow. Raises NotThere, NotAllowed."""
        raise NotImplementedError
