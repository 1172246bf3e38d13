"""One thing that was looked at, in words for whoever looks after the house. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

Level = Literal["ok", "warning", "bad"]
Mark = tuple[str, str]
"""Code and `about` of a finding: the same one, however often it is found."""
_EXIT: dict[Level, int] = {"ok": 0, "warning": 1, "bad": 2}
_ORDER: dict[Level, int] = {"bad": 0, "warning": 1, "ok": 2}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`code` never changes its meaning; `what` is wrong (or well), the rest says more of it.

    `about` tells findings of one code apart: a box, a place of backups, a consumer. `since` is None
    when nobody knows, `last` is when it was last proved; `means` is what residents notice, `do`
    what helps.
    """

    code: str
    level: Level
    what: str
    about: str = ""
    since: datetime | None = None
    last: datetime | None = None
    means: str = ""
    do: str = ""

    @property
    def mark(self) -> Mark:
        """What makes it the same finding."""
        return self.code, self.about


def well(code: str, what: str, *, last: datetime | None = None) -> Finding:
    """Return a finding about which nothing need be done."""
    return Finding(code=code, level="ok", what=what, last=last)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 2 when something is bad, 1 when something needs a look, else 0."""
    return max((_EXIT[one.level] for one in findings), default=0)


def by_urgency(findings: Iterable[Finding]) -> list[Finding]:
    """Return the worst first, otherwise in the order of looking."""
    return sorted(findings, key=lambda one: _ORDER[one.level])


def settled(
    found: Iterable[Finding], known: Mapping[Mark, datetime], now: datetime
) -> list[Finding]:
    """Return what is wrong, the worst first, each with since when: by itself, or by `known`.

    `known` says since when what was wrong at the last look is; what is new began `now`. Of several
    with the same mark the worst is kept.
    """
    wrong: dict[Mark, Finding] = {}
    for one in by_urgency(one for one in found if one.level != "ok"):
        since = one.since or known.get(one.mark, now)
        wrong.setdefault(one.mark, msgspec.structs.replace(one, since=since))
    return list(wrong.values())
