"""When an archive is due and which ones stay: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta, tzinfo

from ingest.backup_settings import Backup
from linli.clock import EARLIEST

AGAIN = timedelta(hours=1)
"""After one that failed."""


def due(
    now: datetime, at: str, zone: tzinfo, tried: datetime | None, *, failed: bool = False
) -> bool:
    """Tell whether to make one: none was tried since the last time of day `at`, or it failed.

    A machine that was off at that time makes it when it is on again.
    """
    if tried is None or tried > now:  # a clock that was set back must not stop them
        return True
    local = now.astimezone(zone)
    last = datetime.combine(local.date(), time.fromisoformat(at), zone)
    if last > local:
        last = datetime.combine(local.date() - timedelta(days=1), time.fromisoformat(at), zone)
    return tried < last or (failed and now - tried >= AGAIN)


def kept(
    times: Iterable[datetime], rule: Backup, zone: tzinfo, begun: datetime = EARLIEST
) -> set[datetime]:
    """Return those that stay: the newest of each of so many days, weeks and months.

    What was made before `begun` is of another life of the data: nothing newer stands for it.
    """
    newest_first = sorted(times, reverse=True)
    stay: set[datetime] = set()
    for many, bucket in ((rule.daily, _day), (rule.weekly, _week), (rule.monthly, _month)):
        stay |= _newest_of_each(newest_first, many, bucket, zone, begun)
    return stay


def _newest_of_each(
    newest_first: list[datetime],
    many: int,
    bucket: Callable[[datetime], tuple[int, ...]],
    zone: tzinfo,
    begun: datetime,
) -> set[datetime]:
    found: dict[tuple[int, ...], datetime] = {}
    for one in newest_first:
        name = (one >= begun, *bucket(one.astimezone(zone)))
        if name not in found and len(found) < many:
            found[name] = one
    return set(found.values())


def _day(at: datetime) -> tuple[int, ...]:
    return (at.year, at.month, at.day)


def _week(at: datetime) -> tuple[int, ...]:
    year, week, _ = at.isocalendar()
    return (year, week)


def _month(at: datetime) -> tuple[int, ...]:
    return (at.year, at.month)
