"""What everybody may know of what is watched here: purpose, how long, whom to ask. No login."""

from __future__ import annotations

import msgspec

from ingest.settings import IngestSettings


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is kept, in days; None: for good. Nobody's name but who answers for it.

    `face_templates` is 0 by construction: there is no place to keep one.
    """

    site: str
    operator: str | None
    contact: str | None
    purpose: str | None
    picture_days: int
    picture_safety_days: int
    picture_false_alarm_days: int
    reading_days: int
    mean_days: int
    incident_days: int | None = None
    video_days: int = 0
    face_templates: int = 0


class NoticeService:
    """Reads settings only: whoever asks costs nothing."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings

    def view(self) -> NoticeView:
        """Return it."""
        settings = self._settings
        notice, evidence, series = settings.notice, settings.evidence, settings.series
        return NoticeView(
            site=settings.site.label,
            operator=notice.operator,
            contact=notice.contact,
            purpose=notice.purpose,
            picture_days=evidence.days,
            picture_safety_days=evidence.safety_days,
            picture_false_alarm_days=evidence.false_alarm_days,
            reading_days=series.raw_days,
            mean_days=series.rollup_days,
        )
