"""Points in time as people read them: how long ago, and the site's own wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache

from babel.dates import format_date, format_skeleton

from dashboards.web.language import Language, catalog
from linli.clock import clamped

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Moment:
    """`iso` for machines, `ago` for a glance, `clock` for the record."""

    iso: str
    ago: str
    clock: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Writes times in one language and one time zone, as seen at `now`."""

    language: Language
    zone: tzinfo
    now: datetime

    def moment(self, at: datetime) -> Moment:
        """Return a point in time in all three forms."""
        at = clamped(at)
        iso = at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return Moment(iso, self.ago(at), self.clock(at))

    def optional(self, at: datetime | None) -> Moment | None:
        """Return the moment of a time that may be missing."""
        return self.moment(at) if at is not None else None

    def ago(self, at: datetime) -> str:
        """Return how long ago it was, in whole units."""
        seconds = (self.now - at).total_seconds()
        ngettext = catalog(self.language).ngettext
        if seconds < MINUTE:
            return catalog(self.language).gettext("just now")
        if seconds < HOUR:
            count = int(seconds // MINUTE)
            return ngettext("%(count)s minute ago", "%(count)s minutes ago", count) % {
                "count": count
            }
        if seconds < DAY:
            count = int(seconds // HOUR)
            return ngettext("%(count)s hour ago", "%(count)s hours ago", count) % {"count": count}
        count = int(seconds // DAY)
        return ngettext("%(count)s day ago", "%(count)s days ago", count) % {"count": count}

    def ago_forms(self) -> dict[str, str]:
        """Return the same words with a 0 in the number's place, for the page's own clock."""
        several = catalog(self.language).ngettext
        forms = {"now": catalog(self.language).gettext("just now")}
        units = {
            "minute": ("%(count)s minute ago", "%(count)s minutes ago"),
            "hour": ("%(count)s hour ago", "%(count)s hours ago"),
            "day": ("%(count)s day ago", "%(count)s days ago"),
        }
        for unit, (one, many) in units.items():
            forms[unit] = several(one, many, 1) % {"count": 0}
            forms[f"{unit}s"] = several(one, many, 2) % {"count": 0}
        return forms

    def brief(self, at: datetime) -> str:
        """Return the local time to the minute, with the day when it is not today's."""
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone).date()
        time = local.strftime("%H:%M")
        if local.date() == today:
            return time
        return f"{_short(local.date(), self._locale)} {time}"

    def clock(self, at: datetime) -> str:
        """Return the local time, with as much of the date as is needed."""
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone).date()
        time = local.strftime("%H:%M:%S")
        if local.date() == today:
            day = catalog(self.language).gettext("today")
        elif local.year == today.year:
            day = _short(local.date(), self._locale)
        else:
            day = _long(local.date(), self._locale)
        return f"{day} {time}"

    @property
    def _locale(self) -> str:
        return self.language.replace("-", "_")


@lru_cache(maxsize=512)
def _short(day: date, locale: str) -> str:
    return format_skeleton("MMMd", day, locale=locale)


@lru_cache(maxsize=512)
def _long(day: date, locale: str) -> str:
    return format_date(day, format="medium", locale=locale)
