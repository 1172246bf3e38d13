"""People made of lofted limbs with two-bone joints, in varied clothes, with what they carry."""

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from kit import Builder, any_color, cloth, material, plastic

SKINS = ((0.55, 0.33, 0.22), (0.62, 0.4, 0.28), (0.42, 0.24, 0.15), (0.7, 0.48, 0.36))


@dataclass
class Pose:
    """Where the joints go, in the person's frame (x ahead, z up, metres)."""

    hip: Any
    lean: float = 0.0
    hands: tuple[Any, Any] | None = None
    feet: tuple[Any, Any] | None = None
    turn: float = 0.0
    child: float = 1.0


def _joint(start: Any, end: Any, upper: float, lower: float, pole: Any) -> tuple[Any, Any]:
    start, end = np.asarray(start, float), np.asarray(end, float)
    line = end - start
    dist = float(np.linalg.norm(line))
    reach = (upper + lower) * 0.999
    if dist > reach:
        end, dist = start + line / dist * reach, reach
    along = (upper**2 - lower**2 + dist**2) / (2 * max(dist, 1e-6))
    out = math.sqrt(max(upper**2 - along**2, 0.0))
    axis = (end - start) / max(dist, 1e-6)
    pole = np.asarray(pole, float) - axis * float(np.asarray(pole, float) @ axis)
    pole = pole / max(float(np.linalg.norm(pole)), 1e-6)
    return start + axis * along + pole * out, end


def person(rng: random.Random, pose: Pose, *, carry: bool = True) -> Builder:
    """Build one dressed person; scale follows `pose.child`."""
    b = Builder("person")
    k = rng.uniform(0.92, 1.06) * pose.child
    fat = rng.uniform(0.88, 1.25)
    skin = material(rng.choice(SKINS), rough=0.6)
    shirt, legs = (
        cloth(rng),
        cloth(rng)
        if rng.random() < 0.3
        else material(
            rng.choice(
                (
                    (0.01, 0.01, 0.015),
                    (0.02, 0.04, 0.1),
                    (0.1, 0.1, 0.1),
                    (0.3, 0.25, 0.18),
                    (0.04, 0.07, 0.15),
                )
            ),
            rough=0.9,
        ),
    )
    hip = np.asarray(pose.hip, float)
    spine = np.array([math.sin(pose.lean), 0, math.cos(pose.lean)])
    chest, neck = hip + spine * 0.34 * k, hip + spine * 0.52 * k
    wide = 0.165 * k * fat
    long_coat = rng.random() < 0.25
    b.loft(
        [
            hip - spine * (0.3 if long_coat else 0.06) * k,
            hip + spine * 0.05 * k,
            hip + spine * 0.18 * k,
            chest,
            neck - spine * 0.03 * k,
        ],
        [
            (wide * (1.0 if long_coat else 0.88), 0.125 * k * fat),
            (wide * 0.92, 0.12 * k * fat),
            (wide * 0.88, 0.11 * k * fat),
            (wide * 1.12, 0.12 * k),
            (wide * 0.62, 0.07 * k),
        ],
        shirt,
        up=(0, 1, 0) if False else (1, 0, 0),
        power=2.6,
        around=16,
    )
    _head(b, rng, neck, spine, k, skin)
    _legs(b, rng, hip, pose, k, fat, legs, skin)
    _arms(b, rng, neck, pose, k, fat, shirt, skin, wide)
    if carry and rng.random() < 0.35:
        _bags(b, rng, hip, chest, spine, k)
    return b


def _head(b: Builder, rng: random.Random, neck: Any, spine: Any, k: float, skin: Any) -> None:
    nod = rng.uniform(0, 0.06)
    head = neck + spine * 0.09 * k + np.array([0.03 + nod, 0, 0.09]) * k
    b.loft([neck - spine * 0.05 * k, head - np.array([0.02, 0, 0.05]) * k], 0.052 * k, skin)
    b.ball(head, (0.095 * k, 0.077 * k, 0.118 * k), skin)
    b.ball(head + np.array([0.093, 0, -0.01]) * k, (0.016 * k, 0.014 * k, 0.022 * k), skin, 8)
    for side in (-1, 1):
        eye = head + np.array([0.083, side * 0.032, 0.015]) * k
        b.ball(eye, (0.008, 0.014 * k, 0.006 * k), material((0.01, 0.01, 0.01)), 6)
        b.ball(
            head + np.array([0.0, side * 0.078, -0.005]) * k,
            (0.02 * k, 0.01 * k, 0.03 * k),
            skin,
            6,
        )
    shade = rng.choice(
        ((0.006, 0.005, 0.005), (0.006, 0.005, 0.005), (0.03, 0.015, 0.008), (0.25, 0.25, 0.25))
    )
    hair = material(shade, rough=0.45)
    style = rng.random()
    back = head + np.array([-0.022, 0, 0.03]) * k
    b.ball(back, (0.092 * k, 0.083 * k, 0.105 * k), hair)
    if style < 0.35:
        drop = rng.uniform(0.1, 0.35)
        b.loft(
            [
                back + np.array([-0.02, 0, 0]),
                back + np.array([-0.06, 0, -drop * 0.5]),
                back + np.array([-0.07, 0, -drop]),
            ],
            [(0.08 * k, 0.06 * k), (0.085 * k, 0.04 * k), (0.05 * k, 0.02 * k)],
            hair,
            up=(1, 0, 0),
        )
    if style > 0.75:
        stuff = rng.choice((cloth(rng), plastic(rng), material(any_color(rng), rough=0.15, coat=1)))
        grow = rng.choice((1.08, 1.3))
        b.ball(
            head + np.array([-0.012, 0, 0.045]) * k,
            (0.11 * k * grow, 0.088 * k * grow, 0.088 * k * grow),
            stuff,
        )
        if grow < 1.2 or rng.random() < 0.5:
            b.loft(
                [head + np.array([0.05, 0, 0.06]) * k, head + np.array([0.18, 0, 0.045]) * k],
                [(0.08 * k, 0.01), (0.06 * k, 0.008)],
                stuff,
                round_ends=True,
            )
    if rng.random() < 0.25:
        mask = material(
            rng.choice(((0.8, 0.8, 0.8), (0.15, 0.35, 0.6), (0.02, 0.02, 0.02))), rough=0.9
        )
        b.ball(head + np.array([0.045, 0, -0.05]) * k, (0.062 * k, 0.064 * k, 0.05 * k), mask)


def _legs(
    b: Builder,
    rng: random.Random,
    hip: Any,
    pose: Pose,
    k: float,
    fat: float,
    stuff: Any,
    skin: Any,
) -> None:
    upper, lower = 0.43 * k, 0.43 * k
    skirt = pose.feet is None and rng.random() < 0.12
    bare = rng.random() < 0.2
    stride = rng.choice((0.0, 0.0, rng.uniform(0.05, 0.3)))
    for i, side in enumerate((1, -1)):
        start = hip + np.array([0, side * 0.085 * k, 0])
        foot = (
            np.array(
                [
                    hip[0] + side * stride * rng.choice((1, 0.8)),
                    side * rng.uniform(0.07, 0.13) * k,
                    0.07,
                ]
            )
            if pose.feet is None
            else np.asarray(pose.feet[i], float) + np.array([0, 0, 0.07])
        )
        knee, ankle = _joint(start, foot, upper, lower, (1, side * 0.25, 0))
        shin = skin if bare or skirt else stuff
        b.loft(
            [start, (start * 0.4 + knee * 0.6), knee],
            [0.092 * k * fat, 0.078 * k * fat, 0.06 * k],
            stuff,
            round_ends=True,
        )
        b.loft(
            [knee, knee * 0.6 + ankle * 0.4, ankle],
            [0.06 * k, 0.06 * k, 0.042 * k * (1.25 if shin is stuff else 1)],
            shin,
            round_ends=True,
        )
        shoe = material(
            rng.choice(((0.01, 0.01, 0.01), (0.7, 0.7, 0.7), (0.1, 0.05, 0.02))), rough=0.5
        )
        b.loft(
            [
                ankle + np.array([-0.06, 0, -0.035]),
                ankle + np.array([0.05, 0, -0.035]),
                ankle + np.array([0.17, 0, -0.05]),
            ],
            [(0.042 * k, 0.038), (0.045 * k, 0.034), (0.038 * k, 0.02)],
            shoe,
            round_ends=True,
        )
    if skirt:
        b.loft(
            [hip + np.array([0, 0, 0.05]), hip - np.array([0, 0, rng.uniform(0.35, 0.7) * k])],
            [(0.16 * k, 0.13 * k), (0.25 * k, 0.22 * k)],
            stuff,
            up=(1, 0, 0),
            around=18,
        )


def _arms(
    b: Builder,
    rng: random.Random,
    neck: Any,
    pose: Pose,
    k: float,
    fat: float,
    stuff: Any,
    skin: Any,
    wide: float,
) -> None:
    short = rng.random() < 0.4
    for i, side in enumerate((1, -1)):
        start = neck + np.array([0, side * (wide + 0.01), -0.07 * k])
        if pose.hands is not None and pose.hands[i] is not None:
            goal = np.asarray(pose.hands[i], float)
        elif rng.random() < 0.2:
            goal = start + np.array([0.28, -side * 0.1, -0.12]) * k
        else:
            goal = (
                start
                + np.array([rng.uniform(-0.12, 0.2), side * rng.uniform(0.03, 0.16), -0.52]) * k
            )
        elbow, hand = _joint(start, goal, 0.29 * k, 0.27 * k, (-0.6, side * 0.6, -0.6))
        r = 0.053 * k * math.sqrt(fat)
        b.loft([start, elbow], [r * 1.1, r * 0.85], stuff, round_ends=True)
        b.loft([elbow, hand], [r * 0.8, r * 0.6], skin if short else stuff, round_ends=True)
        b.ball(hand, (0.045 * k, 0.035 * k, 0.05 * k), skin, 8)


def _bags(b: Builder, rng: random.Random, hip: Any, chest: Any, spine: Any, k: float) -> None:
    pick = rng.random()
    stuff = cloth(rng)
    if pick < 0.4:
        centre = chest - np.array([0.2, 0, 0.05])
        b.loft(
            [centre - spine * 0.2, centre, centre + spine * 0.2],
            [(0.13, 0.08), (0.15, 0.1), (0.11, 0.06)],
            stuff,
            up=(1, 0, 0),
            power=3.5,
            round_ends=True,
        )
    else:
        side = rng.choice((-1, 1))
        low = rng.uniform(0.35, 0.6)
        at = np.array([hip[0] + rng.uniform(-0.05, 0.1), side * 0.3 * k, max(low, 0.3)])
        b.box(at, (rng.uniform(0.08, 0.18), 0.06, rng.uniform(0.12, 0.2)), stuff, 0.5)
        b.tube([at + (0.06, 0, 0.15), at + (0, 0, 0.3), at + (-0.06, 0, 0.15)], 0.006, stuff, 5)


def standing(rng: random.Random, *, child: bool = False) -> Builder:
    """Build someone standing or in step, with or without bags and an umbrella."""
    k = rng.uniform(0.55, 0.8) if child else 1.0
    b = person(rng, Pose(np.array([0, 0, 0.88 * k]), lean=rng.uniform(-0.05, 0.2), child=k))
    if not child and rng.random() < 0.08:
        stuff = material(any_color(rng, 0.05, 0.7), rough=0.5)
        b.tube([(0.25, 0.2, 0.95), (0.2, 0.2, 2.0)], 0.008, material((0.2, 0.2, 0.2)))
        b.loft(
            [(0.2, 0.2, 1.85), (0.2, 0.2, 1.97), (0.2, 0.2, 2.05)],
            [0.45, 0.28, 0.02],
            stuff,
            up=(1, 0, 0),
            around=16,
        )
    return b


def riding(rng: random.Random, seat: Any, grips: tuple[Any, Any], feet: tuple[Any, Any]) -> Builder:
    """Build a rider sitting on a two-wheeler, in its frame."""
    if rng.random() < 0.4:
        feet = tuple(np.array([f[0] - 0.05, math.copysign(0.3, f[1]), 0.0]) for f in feet)  # type: ignore[assignment]
    hip = np.asarray(seat, float) + np.array([-0.05, 0, 0.08])
    return person(rng, Pose(hip, lean=rng.uniform(0.05, 0.35), hands=grips, feet=feet))


def pushing(rng: random.Random, grips: tuple[Any, Any], side: int) -> Builder:
    """Build someone walking beside a two-wheeler with hands on its grips, in its frame."""
    middle = (np.asarray(grips[0]) + np.asarray(grips[1])) / 2
    away = side * rng.uniform(0.42, 0.6)
    hip = np.array([middle[0] - rng.uniform(0.25, 0.5), away, 0.87])
    hands: Any = [grips[0], grips[1]]
    if rng.random() < 0.35:
        far = 1 if side > 0 else 0
        hands[far] = np.array([middle[0] - rng.uniform(0.5, 0.9), side * 0.1, 0.8])
    feet = [hip * (1, 1, 0) + np.array([rng.uniform(-0.3, 0.3), s * 0.1, 0]) for s in (1, -1)]
    return person(rng, Pose(hip, lean=rng.uniform(0.1, 0.4), hands=tuple(hands), feet=tuple(feet)))


def sitting(
    rng: random.Random, seat: Any, feet: tuple[Any, Any], hands: Any = None, child: float = 1.0
) -> Builder:
    """Build someone seated in a chair."""
    return person(
        rng,
        Pose(
            np.asarray(seat, float) + np.array([0, 0, 0.09 * child]),
            lean=rng.uniform(-0.25, 0.1),
            hands=hands,
            feet=feet,
            child=child,
        ),
        carry=False,
    )
