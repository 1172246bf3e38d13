"""Another ingest under our name at the broker, by mistake: whoever comes new must take nothing.

A broker lets in who comes last, and throws out who was there; that one comes back within two
seconds. So an ingest whose journal was not written just now waits after connecting: a glance, and
longer when somebody else's last word as the ingest was not that it had stopped. Whoever is thrown
out meanwhile has taken nothing, so no fact goes astray or is stored in two places. When the other
one is gone for good the newcomer is let alone, and takes its place.

Pure: times are the caller's monotonic seconds.
"""

from __future__ import annotations

from linli.events import Status
from linli.log import get_logger

log = get_logger(__name__)

GLANCE = 0.4
PROBATION = 3.0  # more than the link's first retry, by which the other one comes back


class Rival:
    """What is known of a rival; `newcomer` says that our journal was not written just now."""

    def __init__(self, session: str, *, newcomer: bool) -> None:
        self._session = session
        self._newcomer = newcomer
        self._up_at: float | None = None
        self._met = False
        self._told = False

    def up(self, now: float) -> None:
        """Note that the broker let us in."""
        self._up_at = now

    def down(self) -> None:
        """Note that the connection is gone, and say it when a rival is the likely reason."""
        self._up_at = None
        if self._newcomer and self._met and not self._told:
            self._told = True
            log.error(
                "thrown out by the broker: another ingest seems to run for this site under our "
                "name; taking nothing while it does. Run one ingest for a site, stop the other"
            )

    def hear(self, status: Status) -> None:
        """Note what somebody said as the ingest."""
        self._met = self._met or (status.session != self._session and status.state != "stopped")

    def possible(self, now: float) -> bool:
        """Tell whether to wait before taking anything."""
        if self._newcomer and self._up_at is not None:
            self._newcomer = now - self._up_at < (PROBATION if self._met else GLANCE)
        return self._newcomer
