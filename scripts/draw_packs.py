#!/usr/bin/env python3
"""Draw what each scenario pack means, into docs/img/scenarios/NAME.svg.

Example: scripts/draw_packs.py
"""

from __future__ import annotations

from pathlib import Path

from linli.packs import Pack, packs

OUT = Path(__file__).resolve().parents[1] / "docs" / "img" / "scenarios"
WIDTH, HEIGHT, FLOOR = 480, 300, 205
INK, ZONE, ALARM, QUIET = "#22313f", "#e67e22", "#c0392b", "#7f8c8d"


def person(x: float, y: float = FLOOR, size: float = 1.0) -> str:
    """Return somebody who stands at (x, y)."""
    s = size
    return (
        f'<circle cx="{x}" cy="{y - 62 * s}" r="{9 * s}" fill="{INK}"/>'
        f'<rect x="{x - 10 * s}" y="{y - 51 * s}" width="{20 * s}" height="{30 * s}" rx="{7 * s}" '
        f'fill="{INK}"/>'
        f'<path d="M{x - 5 * s} {y - 22 * s} V{y} M{x + 5 * s} {y - 22 * s} V{y}" stroke="{INK}" '
        f'stroke-width="{7 * s}" stroke-linecap="round"/>'
    )


def ebike(x: float, y: float = FLOOR) -> str:
    """Return a scooter whose wheels stand at y, x its middle."""
    return (
        f'<g fill="none" stroke="{INK}" stroke-width="6" stroke-linecap="round" '
        f'stroke-linejoin="round"><circle cx="{x - 42}" cy="{y - 16}" r="15"/>'
        f'<circle cx="{x + 42}" cy="{y - 16}" r="15"/>'
        f'<path d="M{x - 42} {y - 16} L{x - 26} {y - 34} H{x + 6} L{x + 20} {y - 20} '
        f'L{x + 32} {y - 62} h12 M{x + 42} {y - 16} L{x + 30} {y - 56}"/></g>'
        f'<rect x="{x - 40}" y="{y - 48}" width="42" height="11" rx="5" fill="{INK}"/>'
        f'<rect x="{x - 62}" y="{y - 70}" width="26" height="22" rx="3" fill="{QUIET}"/>'
    )


def car(x: float, y: float = FLOOR) -> str:
    """Return a car whose wheels stand at y, x its middle."""
    return (
        f'<path d="M{x - 85} {y - 12} v-22 q2 -6 12 -8 l22 -4 l18 -22 h60 l24 24 '
        f'q22 2 26 10 v22 z" fill="{INK}"/>'
        f'<circle cx="{x - 48}" cy="{y - 12}" r="13" fill="#fff" stroke="{INK}" '
        f'stroke-width="7"/><circle cx="{x + 46}" cy="{y - 12}" r="13" fill="#fff" stroke="{INK}" '
        f'stroke-width="7"/>'
    )


def couch(x: float, y: float = FLOOR) -> str:
    """Return a couch at (x, y)."""
    return (
        f'<rect x="{x - 50}" y="{y - 52}" width="100" height="34" rx="8" fill="{QUIET}"/>'
        f'<rect x="{x - 60}" y="{y - 34}" width="120" height="26" rx="8" fill="{INK}"/>'
        f'<path d="M{x - 46} {y - 8} v8 M{x + 46} {y - 8} v8" stroke="{INK}" stroke-width="6"/>'
    )


def bins(x: float, y: float = FLOOR) -> str:
    """Return two bins, the first at x."""
    return "".join(
        f'<path d="M{at} {y - 58} h36 l-4 58 h-28 z" fill="{colour}"/>'
        f'<rect x="{at - 3}" y="{y - 66}" width="42" height="8" rx="3" fill="{INK}"/>'
        for at, colour in ((x, "#27ae60"), (x + 48, "#2980b9"))
    )


def moon() -> str:
    """Return the sign of the night."""
    return '<path d="M440 28 a22 22 0 1 0 14 38 a18 18 0 1 1 -14 -38" fill="#f1c40f"/>'


def zone(x1: float, x2: float) -> str:
    """Return a zone on the floor between two places."""
    return (
        f'<path d="M{x1 + 26} {FLOOR - 22} H{x2 - 26} L{x2} {FLOOR + 22} H{x1} Z" fill="{ZONE}" '
        f'fill-opacity="0.18" stroke="{ZONE}" stroke-width="3" stroke-dasharray="9 6"/>'
    )


def walls() -> str:
    """Return the car of an elevator."""
    return (
        f'<rect x="110" y="28" width="260" height="{FLOOR + 4 - 28}" fill="#eef2f5" '
        f'stroke="{QUIET}" stroke-width="4"/><path d="M350 40 v150 M130 40 v150" stroke="#fff" '
        f'stroke-width="8"/>'
    )


SCENES = {
    "ebike-in-elevator": walls() + zone(120, 360) + ebike(250) + person(170),
    "blocked-fire-lane": zone(60, 420) + car(240),
    "closed-zone-entry": moon() + zone(90, 390) + person(240),
    "loitering": zone(90, 390) + person(240),
    "crowding": zone(50, 430)
    + "".join(person(90 + 42 * n, FLOOR - 6 + 12 * (n % 2), 0.9) for n in range(8)),
    "bulky-waste": zone(190, 440) + bins(60) + couch(310),
}


def timeline(pack: Pack) -> str:
    """Return when it begins, as a strip below the scene."""
    dwell = float(pack.scenario["dwell"])
    said = f"{dwell:g} s" if dwell < 60 else f"{dwell / 60:g} min"
    begin = 320
    return (
        f'<rect x="40" y="250" width="{begin - 40}" height="10" fill="{ZONE}" fill-opacity="0.5"/>'
        f'<rect x="{begin}" y="250" width="{440 - begin}" height="10" fill="{ALARM}"/>'
        f'<path d="M{begin} 240 v30" stroke="{ALARM}" stroke-width="3"/>'
        f'<text x="40" y="284" fill="{INK}">0 s</text>'
        f'<text x="{begin}" y="284" text-anchor="middle" fill="{ALARM}">▲ {said}</text>'
    )


def picture(name: str, pack: Pack) -> str:
    """Return the whole picture of a pack."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="16" role="img"><title>{pack.title.zh} / '
        f'{pack.title.en}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fbfbf9"/>'
        f'<path d="M0 {FLOOR + 2} H{WIDTH}" stroke="#d5d8dc" stroke-width="2"/>'
        f"{SCENES[name]}{timeline(pack)}</svg>\n"
    )


def main() -> None:
    """Write every picture again."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name, pack in packs().items():
        (OUT / f"{name}.svg").write_text(picture(name, pack), encoding="utf-8")


if __name__ == "__main__":
    main()
