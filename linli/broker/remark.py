"""One thing that was looked at in a broker, in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Level = Literal["ok", "unknown", "warning", "bad"]
_EXIT: dict[Level, int] = {"ok": 0, "unknown": 0, "warning": 1, "bad": 2}
_ORDER: dict[Level, int] = {"bad": 0, "warning": 1, "unknown": 2, "ok": 3}


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """`code` never changes its meaning; `what` is so, `do` helps. *unknown* is not *ok*."""

    code: str
    level: Level
    what: str
    do: str = ""


def exit_code(remarks: Iterable[Remark]) -> int:
    """Return 2 when something is bad, 1 when something needs a look, else 0."""
    return max((_EXIT[one.level] for one in remarks), default=0)


def by_urgency(remarks: Iterable[Remark]) -> list[Remark]:
    """Return the worst first, otherwise in the order of looking."""
    return sorted(remarks, key=lambda one: _ORDER[one.level])


def fine(code: str, what: str) -> Remark:
    """Return a remark about which nothing need be done."""
    return Remark(code=code, level="ok", what=what)


def bad(code: str, what: str, do: str) -> Remark:
    """Return what loses messages, or lets in who should not be."""
    return Remark(code=code, level="bad", what=what, do=do)


def doubtful(code: str, what: str, do: str) -> Remark:
    """Return what needs a look."""
    return Remark(code=code, level="warning", what=what, do=do)


def unknown(code: str, what: str, do: str) -> Remark:
    """Return what cannot be known from here, and how it could."""
    return Remark(code=code, level="unknown", what=what, do=do)
