"""What a cheap camera, a bad lamp and a long cable do to a picture, drawn by chance."""

import random

import cv2
import numpy as np

Image = np.ndarray


def place(
    rng: random.Random, image: Image, boxes: np.ndarray, size: int, *, zoom: tuple[float, float]
) -> tuple[Image, np.ndarray]:
    """Scale, turn, mirror and crop into a square of `size` padded with 114.

    `boxes` are [n, 5] class, x0, y0, x1, y1 in pixels, and come back so; those of which less
    than 30 % stays inside are dropped.
    """
    h, w = image.shape[:2]
    fit = size / max(h, w)
    scale = fit * rng.uniform(*zoom)
    sx, sy = scale * rng.uniform(0.88, 1.14), scale * rng.uniform(0.88, 1.14)
    mirror = -1 if rng.random() < 0.5 else 1
    angle = np.radians(rng.gauss(0, 3) if rng.random() < 0.8 else rng.uniform(-25, 25))
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c * sx * mirror, -s * sy], [s * sx * mirror, c * sy]])
    spare = np.maximum(np.array([size - w * sx, size - h * sy]) / 2, 0)
    over = np.maximum(np.array([w * sx - size, h * sy - size]) / 2, 0)
    centre = np.array([size / 2, size / 2]) + [rng.uniform(-1, 1) * v for v in spare + over]
    move = centre - turn @ np.array([w / 2, h / 2])
    matrix = np.column_stack((turn, move))
    way = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
    out = cv2.warpAffine(image, matrix, (size, size), flags=way, borderValue=(114, 114, 114))
    if len(boxes) == 0:
        return out, boxes
    x0, y0, x1, y1 = boxes[:, 1:].T
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], 1).reshape(-1, 4, 2) @ turn.T + move
    low, high = corners.min(1), corners.max(1)
    shrink = 0.5 * abs(s) * np.stack([(y1 - y0) * sy, (x1 - x0) * sx], 1)
    low, high = low + shrink, high - shrink
    inside_low, inside_high = low.clip(0, size), high.clip(0, size)
    kept = (inside_high - inside_low).prod(1) / np.maximum((high - low).prod(1), 1)
    ok = (kept > 0.3) & ((inside_high - inside_low).min(1) > 4)
    return out, np.column_stack((boxes[:, 0], inside_low, inside_high))[ok]


def bulge(
    rng: random.Random, image: Image, boxes: np.ndarray, most: float = 0.35
) -> tuple[Image, np.ndarray]:
    """Bend a picture as a wide lens does; boxes [n, 5] in pixels follow their edges' points."""
    h, w = image.shape[:2]
    k = rng.uniform(0.05, most)
    radius = max(h, w) / 2
    keep = 1 + k * 0.6
    y, x = np.mgrid[:h, :w].astype(np.float32)
    dx, dy = (x - w / 2) / radius, (y - h / 2) / radius
    grow = (1 + k * (dx * dx + dy * dy)) / keep
    out = cv2.remap(
        image,
        dx * grow * radius + w / 2,
        dy * grow * radius + h / 2,
        cv2.INTER_LINEAR,
        borderValue=(0, 0, 0),
    )
    if len(boxes) == 0:
        return out, boxes
    t = np.linspace(0, 1, 5)
    x0, y0, x1, y1 = (boxes[:, i, None] for i in range(1, 5))
    px = np.concatenate((x0 + (x1 - x0) * t, x0 + (x1 - x0) * t, x0 + 0 * t, x1 + 0 * t), 1)
    py = np.concatenate((y0 + 0 * t, y1 + 0 * t, y0 + (y1 - y0) * t, y0 + (y1 - y0) * t), 1)
    sx, sy = (px - w / 2) / radius * keep, (py - h / 2) / radius * keep
    far = np.hypot(sx, sy)
    bent = far.copy()
    for _ in range(12):
        bent = far / (1 + k * bent**2)
    shrink = bent / np.maximum(far, 1e-6)
    px, py = sx * shrink * radius + w / 2, sy * shrink * radius + h / 2
    moved = np.column_stack((boxes[:, 0], px.min(1), py.min(1), px.max(1), py.max(1)))
    moved[:, 1:] = moved[:, 1:].clip(0, [w, h, w, h])
    return out, moved


def borrow(rng: random.Random, image: Image, photograph: Image) -> Image:
    """Give a render a photograph's colours and, in part, its coarsest light.

    Means and spreads are matched per Lab channel (Reinhard et al. 2001), the lowest frequencies'
    amplitudes mixed (Fourier domain adaptation, Yang and Soatto 2020).
    """
    h, w = image.shape[:2]
    part = rng.uniform(0.2, 0.9)
    ours = cv2.cvtColor(image, cv2.COLOR_BGR2LAB).astype(np.float32)
    small = cv2.resize(photograph, (96, 96), interpolation=cv2.INTER_AREA)
    theirs = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    mean, spread = ours.mean((0, 1)), ours.std((0, 1)) + 4
    near = (ours - mean) / spread * (theirs.std((0, 1)) + 4) + theirs.mean((0, 1))
    mixed = ours + (near - ours) * part
    out = cv2.cvtColor(mixed.clip(0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    if rng.random() < 0.5:
        return out
    reach = rng.choice((2, 3, 4, 6))
    other = cv2.resize(photograph, (w, h), interpolation=cv2.INTER_AREA)
    a, b = np.fft.rfft2(out, axes=(0, 1)), np.fft.rfft2(other, axes=(0, 1))
    size, angle, wanted = np.abs(a), np.angle(a), np.abs(b)
    rows = np.r_[0:reach, h - reach + 1 : h]
    size[rows, :reach] += (wanted[rows, :reach] - size[rows, :reach]) * rng.uniform(0.2, 0.8)
    back = np.fft.irfft2(size * np.exp(1j * angle), s=(h, w), axes=(0, 1))
    return np.asarray(back.clip(0, 255), np.uint8)


def recoat(rng: random.Random, image: Image) -> Image:
    """Change every texture alike by a small random filter over places and colours.

    Shapes stay (random convolutions, Xu et al. 2021): what was learnt of renders' surfaces is of
    no use then.
    """
    noise = np.random.default_rng(rng.getrandbits(32))
    n = rng.choice((1, 3, 3, 5))
    kernel = noise.standard_normal((3, 3, n, n)).astype(np.float32) / (n * 3**0.5)
    out = np.zeros(image.shape, np.float32)
    source = image.astype(np.float32) - image.mean((0, 1), dtype=np.float32)
    for target in range(3):
        for channel in range(3):
            out[..., target] += cv2.filter2D(source[..., channel], -1, kernel[target, channel])
    out = out / (out.std() + 4) * max(float(image.std()), 20.0) + float(image.mean())
    part = rng.uniform(0.15, 0.75)
    return np.asarray((image * (1 - part) + out * part).clip(0, 255), np.uint8)


def spoil(rng: random.Random, image: Image, strength: float = 1.0) -> Image:
    """Apply a random chain of light, lens, sensor and codec faults."""
    noise = np.random.default_rng(rng.getrandbits(32))
    out = image.astype(np.float32)
    out = _light(rng, out)
    if rng.random() < 0.3 * strength:
        out = _grain(rng, noise, out)
    if rng.random() < 0.25 * strength:
        out = _blur(rng, out)
    out = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.15 * strength:
        out = _text(rng, out)
    if rng.random() < 0.2 * strength:
        h, w = out.shape[:2]
        k = rng.uniform(0.35, 0.8)
        small = cv2.resize(out, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        out = cv2.resize(
            small,
            (w, h),
            interpolation=rng.choice((cv2.INTER_LINEAR, cv2.INTER_NEAREST, cv2.INTER_CUBIC)),
        )
    if rng.random() < 0.25 * strength:
        quality = int(rng.uniform(15, 80))
        out = cv2.imdecode(
            cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
        )
    return out


def _light(rng: random.Random, out: Image) -> Image:
    if rng.random() < 0.6:
        out = out * np.array([rng.gauss(1, 0.09) for _ in range(3)], np.float32)
    if rng.random() < 0.4:
        grey = out.mean(2, keepdims=True)
        out = grey + (out - grey) * rng.uniform(0.0 if rng.random() < 0.15 else 0.4, 1.6)
    if rng.random() < 0.6:
        mean = out.mean()
        out = (out - mean) * rng.uniform(0.6, 1.5) + mean * rng.uniform(0.6, 1.35)
    if rng.random() < 0.25:
        out = 255 * (np.clip(out, 0, 255) / 255) ** rng.uniform(0.55, 1.9)
    if rng.random() < 0.15:
        h, w = out.shape[:2]
        y, x = np.ogrid[:h, :w]
        cy, cx, r = rng.uniform(0, h), rng.uniform(0, w), rng.uniform(0.15, 0.8) * h
        spot = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / r**2).astype(np.float32)[..., None]
        out = out * (1 - 0.5 * spot) if rng.random() < 0.4 else out + spot * rng.uniform(60, 220)
    return out


def _grain(rng: random.Random, noise: np.random.Generator, out: Image) -> Image:
    h, w = out.shape[:2]
    sigma = rng.uniform(2, 16)
    k = rng.choice((1, 1, 2))
    grain = noise.standard_normal((h // k, w // k, rng.choice((1, 3))), dtype=np.float32) * sigma
    if k > 1:
        grain = cv2.resize(grain, (w, h))
    return out + (grain if grain.ndim == 3 else grain[..., None])


def _blur(rng: random.Random, out: Image) -> Image:
    if rng.random() < 0.5:
        return cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6))
    n = rng.choice((3, 5, 7))
    kernel = np.zeros((n, n), np.float32)
    cv2.line(kernel, (0, rng.randrange(n)), (n - 1, rng.randrange(n)), 1.0)
    return cv2.filter2D(out, -1, kernel / kernel.sum())


def _text(rng: random.Random, out: Image) -> Image:
    h, w = out.shape[:2]
    out = np.ascontiguousarray(out)
    for _ in range(rng.randint(1, 3)):
        day = f"20{rng.randint(18, 30)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        text = f"{day} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
        at = (rng.randint(0, w // 2), rng.choice((14, rng.randint(20, h))))
        color = rng.choice(((255, 255, 255), (0, 0, 0), (0, 255, 255)))
        cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.35, 0.6), color, 1)
    return out
