#!/usr/bin/env python3
"""Draw what each scenario means, into docs/img/scenarios/NAME.svg.

Example: scripts/draw_packs.py
"""

from __future__ import annotations

from pathlib import Path

from linli.packs import packs

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


def line() -> str:
    """Return a line over which somebody goes in, and somebody out."""
    return (
        f'<path d="M210 {FLOOR - 150} V{FLOOR + 22}" stroke="{ZONE}" stroke-width="4"/>'
        f'<path d="M150 {FLOOR + 12} h130 l-12 -7 m12 7 l-12 7" fill="none" stroke="{ZONE}" '
        f'stroke-width="3"/><text x="290" y="{FLOOR + 17}" fill="{ZONE}">+1</text>'
        f"{person(120)}{person(320)}{person(380)}"
    )


def lens() -> str:
    """Return a camera before a wall, and a hand over it."""
    return (
        f'<rect x="190" y="70" width="110" height="60" rx="10" fill="{INK}"/>'
        f'<path d="M245 130 v60 M215 192 h60" stroke="{INK}" stroke-width="9"/>'
        f'<circle cx="180" cy="100" r="24" fill="{QUIET}"/><circle cx="180" cy="100" r="12" '
        f'fill="{INK}"/><path d="M118 60 q34 -12 58 14 l8 52 q-22 22 -62 8 z" fill="{ALARM}" '
        f'fill-opacity="0.55"/>'
    )


OTHERS = {
    "line": (line(), "数人进出", "People over a line", None),
    "camera-tampered": (lens(), "摄像机被遮挡、转动或画面异常", "Camera covered or turned", 10.0),
}
"""What is no pack: the scene, its names, and the dwell where it has one."""


def timeline(dwell: float) -> str:
    """Return when it begins, as a strip below the scene."""
    said = f"{dwell:g} s" if dwell < 60 else f"{dwell / 60:g} min"
    begin = 320
    return (
        f'<rect x="40" y="250" width="{begin - 40}" height="10" fill="{ZONE}" fill-opacity="0.5"/>'
        f'<rect x="{begin}" y="250" width="{440 - begin}" height="10" fill="{ALARM}"/>'
        f'<path d="M{begin} 240 v30" stroke="{ALARM}" stroke-width="3"/>'
        f'<text x="40" y="284" fill="{INK}">0 s</text>'
        f'<text x="{begin}" y="284" text-anchor="middle" fill="{ALARM}">▲ {said}</text>'
    )


def picture(scene: str, zh: str, en: str, dwell: float | None) -> str:
    """Return the whole picture of a scenario, with its timeline when it has a dwell."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="16" role="img"><title>{zh} / '
        f'{en}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fbfbf9"/>'
        f'<path d="M0 {FLOOR + 2} H{WIDTH}" stroke="#d5d8dc" stroke-width="2"/>'
        f"{scene}{timeline(dwell) if dwell is not None else ''}</svg>\n"
    )


def main() -> None:
    """Write every picture again."""
    OUT.mkdir(parents=True, exist_ok=True)
    drawn = {
        name: (SCENES[name], pack.title.zh, pack.title.en, float(pack.scenario["dwell"]))
        for name, pack in packs().items()
    }
    for name, (scene, zh, en, dwell) in (drawn | OTHERS).items():
        (OUT / f"{name}.svg").write_text(picture(scene, zh, en, dwell), encoding="utf-8")


if __name__ == "__main__":
    main()
