"""Whether a soak is flat: the beginning of its undisturbed part beside its end. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

Look = dict[str, Any]
# How much the last third may be above the first, as a share and in the unit of the figure.
_ROOM = {
    "rss": (0.05, 4.0),
    "files": (0.0, 4.0),
    "threads": (0.0, 2.0),
    "p95": (0.5, 20.0),
    "disk": (0.25, 200.0),
}


def delays(micros: Sequence[int], fastest: float) -> tuple[float, float, float]:
    """Return p50 and p95 above the fastest of all, and the fastest, in milliseconds.

    `micros` are delays of at least one fact, `fastest` the least of those before, in milliseconds.
    """
    found = sorted(one / 1000 for one in micros)
    fastest = min(fastest, found[0])
    p50, p95 = found[len(found) // 2], found[int(len(found) * 0.95)]
    return round(p50 - fastest, 1), round(p95 - fastest, 1), fastest


def judge(looks: Sequence[Look], played: dict[str, Any]) -> dict[str, Any]:
    """Return each figure at begin and end of the quiet part, and whether all is flat.

    Disk grows with what is kept: what must not grow is how much of it a stored fact takes.
    """
    quiet = [one for one in looks if one["quiet"] and len(one["rss"]) == 4]
    third = max(1, len(quiet) // 3)
    early, late = quiet[:third], quiet[-third:]
    rows: list[dict[str, Any]] = []
    if quiet:
        for part in ("parent", "receiver", "web", "broker"):
            for kind, what in (("rss", "rss of %s, MB"), ("files", "open files of %s")):
                rows.append(_row(kind, what % part, early, late, _of(kind, part)))
        rows += [
            _row("threads", "threads", early, late, _of("threads")),
            _row("p95", "fact to journal p95, ms", early, late, _of("p95")),
            _row("p95", "probe made to shown, ms", early, late, _of("probe")),
            _row("p95", "rows not worked on", early, late, _of("behind")),
            _held("disk", "disk for a stored fact, bytes", *_halves(quiet)),
        ]
    lost = played.get("unreceipted") != 0 or bool(played.get("rejected"))
    return {
        "rows": rows,
        "kept": played,
        "kills": {name: _kills(looks, name) for name in sorted(_names(looks))},
        "stored": looks[-1]["stored"] if looks else 0,
        "disk": [looks[0]["disk"], looks[-1]["disk"]] if looks else [],
        "flat": bool(rows) and not lost and all(one["flat"] for one in rows),
    }


def table(found: dict[str, Any]) -> str:
    """Return it for people."""
    lines = [f"{'':29} {'begin':>9} {'end':>9}"]
    for one in found["rows"]:
        mark = "" if one["flat"] else "  NOT FLAT"
        lines.append(f"{one['what']:29} {_said(one['begin'])} {_said(one['end'])}{mark}")
    kept = found["kept"]
    lines.append(f"{found['minutes']:g} minutes, {found['devices']} devices, load {found['load']}")
    lines.append(f"killed: {found['kills']}; stored {found['stored']}, disk {found['disk']} MB")
    lines.append(
        f"{kept.get('facts')} facts made, {kept.get('receipted')} receipted, "
        f"{kept.get('unreceipted')} not, rejected {kept.get('rejected')}"
    )
    return "\n".join(lines)


def _row(
    kind: str, what: str, early: Sequence[Look], late: Sequence[Look], of: Callable[[Look], Any]
) -> dict[str, Any]:
    begin, end = (_median([of(one) for one in part]) for part in (early, late))
    return _held(kind, what, begin, end)


def _held(kind: str, what: str, begin: float | None, end: float | None) -> dict[str, Any]:
    share, more = _ROOM[kind]
    # What was not measured is not flat: nobody knows.
    flat = begin is not None and end is not None and end <= begin * (1 + share) + more
    return {"what": what, "begin": begin, "end": end, "flat": flat}


def _median(found: Sequence[float | None]) -> float | None:
    known = [one for one in found if one is not None]
    return statistics.median(known) if known else None


def _said(figure: float | None) -> str:
    return f"{'-':>9}" if figure is None else f"{figure:9.1f}"


def _of(name: str, part: str | None = None) -> Callable[[Look], Any]:
    return lambda one: one[name] if part is None else one[name][part]


def _names(looks: Sequence[Look]) -> set[str]:
    return {one["killed"] for one in looks if one["killed"]}


def _kills(looks: Sequence[Look], name: str) -> int:
    return sum(one["killed"] == name for one in looks)


def _halves(quiet: Sequence[Look]) -> tuple[float | None, float | None]:
    """Return what a fact took in the first half and in the second."""
    middle = len(quiet) // 2
    return _bytes_each(quiet[:middle]), _bytes_each(quiet[middle:])


def _bytes_each(part: Sequence[Look]) -> float | None:
    if len(part) < 2 or part[-1]["stored"] <= part[0]["stored"]:
        return None
    grown = (part[-1]["disk"] - part[0]["disk"]) * 2**20
    return float(round(grown / (part[-1]["stored"] - part[0]["stored"])))
