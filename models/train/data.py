"""Training pictures: rendered elevators, rendered things pasted into photographs, photographs.

Sample number n of epoch e depends on the seed, n and e alone.
"""

import functools
import json
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from augment import borrow, bulge, place, recoat, spoil

NAMES = ("person", "ebike", "bicycle", "stroller", "wheelchair")
HELD_OUT = 900_000  # renders from this number on are for choosing the threshold, never for training
FULL = 416  # pictures for smaller inputs are cropped rather than shrunk, some of the time
CYCLES = 0.25  # the share of photographs drawn from the few with two-wheelers
OTHER = len(NAMES)  # a thing of no class of ours
# A motorcycle looks like a scooter-type e-bike, and is as unwelcome. What else photographs show
# stays a thing, of no class: otherwise the detector learns that only rendered things are things.
FROM_COCO = {**dict.fromkeys(range(80), OTHER), 0: 0, 3: 1, 1: 2}


@functools.lru_cache(maxsize=8000)
def pixels(path: Path) -> np.ndarray:
    """Return BGR(A) pixels, read-only: decoding costs as much as a step of training."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    image.flags.writeable = False
    return image


@dataclass(frozen=True)
class Picture:
    """A picture file and its boxes [n, 5]: class, x0, y0, x1, y1 as shares of the picture."""

    path: Path
    boxes: np.ndarray

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return BGR(A) pixels and boxes in pixels."""
        image = pixels(self.path)
        h, w = image.shape[:2]
        return image, self.boxes * np.array([1, w, h, w, h])


def folder(path: Path, classes: dict[int, int] | None = None) -> list[Picture]:
    """List a folder with images/ and YOLO labels/; `classes` maps and filters class ids."""
    found = []
    for image in sorted((path / "images").iterdir()):
        label = path / "labels" / f"{image.stem}.txt"
        rows = (
            [[float(v) for v in line.split()] for line in label.read_text().splitlines()]
            if label.exists()
            else []
        )
        boxes = [
            (c if classes is None else classes[int(c)], x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            for c, x, y, w, h in rows
            if classes is None or int(c) in classes
        ]
        found.append(Picture(image, np.array(boxes, float).reshape(-1, 5)))
    return found


class Mix:
    """Draws augmented training samples from the three kinds of pictures."""

    def __init__(
        self,
        elevators: Path,
        cutouts: Path,
        photographs: Path,
        textures: Path | None,
        shares: dict[str, float],
        kinds: dict[str, float],
    ) -> None:
        self.photographs = folder(photographs, FROM_COCO)
        self.cycles = [
            p for p in self.photographs if ((p.boxes[:, 0] > 0) & (p.boxes[:, 0] < OTHER)).any()
        ]
        self.textures = sorted(textures.glob("*/*.jpg")) if textures else []
        self.shares, self.kinds = shares, kinds
        self.kind_of: dict[Path, str] = {}
        self.roots = (elevators, cutouts)
        self.scenes: dict[str, list[Picture]] = {}
        self.pieces: dict[str, list[Picture]] = {}
        self.rescan()

    def rescan(self) -> None:
        """Look for renders that have come since."""
        self.scenes, self.pieces = (self._by_kind(root) for root in self.roots)

    def _by_kind(self, root: Path) -> dict[str, list[Picture]]:
        found: dict[str, list[Picture]] = {}
        for picture in folder(root):
            if _number(picture) < HELD_OUT and _finished(picture):
                kind = self.kind_of.setdefault(picture.path, _kind(picture))
                if kind in self.kinds:
                    found.setdefault(kind, []).append(picture)
        return found

    def draw(self, rng: random.Random, pictures: dict[str, list[Picture]]) -> Picture:
        """Draw a render, its kind by the configured weights."""
        names = sorted(pictures)
        return rng.choice(pictures[rng.choices(names, [self.kinds[n] for n in names])[0]])

    def sample(self, rng: random.Random, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a picture [size, size, 3] BGR and its boxes [n, 5] in pixels."""
        kind = rng.choices(list(self.shares), list(self.shares.values()))[0]
        near = rng.uniform(1.0, FULL / size)
        if kind == "scene":
            image, boxes = self.draw(rng, self.scenes).read()
            if rng.random() < 0.15:
                image, boxes = paste(rng, image, boxes, self.draw(rng, self.pieces))
            if rng.random() < 0.25:
                image, boxes = bulge(rng, image, boxes)
            image, boxes = place(rng, image, boxes, size, zoom=(0.55 * near, 1.5 * near))
        elif kind == "paste":
            image, boxes = self._background(rng)
            image, boxes = place(rng, image, boxes, size, zoom=(0.8 * near, 1.8 * near))
            for _ in range(rng.choice((1, 1, 2, 3))):
                image, boxes = paste(rng, image, boxes, self.draw(rng, self.pieces))
        elif kind == "photograph":
            image, boxes = self._photograph(rng).read()
            image, boxes = place(rng, image, boxes, size, zoom=(0.5 * near, 1.6 * near))
        else:
            image, boxes = self._mosaic(rng, size)
        if kind == "scene" and rng.random() < 0.4:
            image = borrow(rng, image, rng.choice(self.photographs).read()[0])
        if kind in ("scene", "paste") and rng.random() < 0.2:
            image = recoat(rng, image)
        return spoil(rng, image, 0.6 if kind in ("photograph", "mosaic") else 1.0), boxes

    def _photograph(self, rng: random.Random) -> Picture:
        return rng.choice(self.cycles if rng.random() < CYCLES else self.photographs)

    def _background(self, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
        which = rng.random()
        if which < 0.12:
            return plain(rng), np.zeros((0, 5))
        if self.textures and which < 0.25:
            return pixels(rng.choice(self.textures)), np.zeros((0, 5))
        return rng.choice(self.photographs).read()

    def _mosaic(self, rng: random.Random, size: int) -> tuple[np.ndarray, np.ndarray]:
        half = size // 2
        canvas = np.full((size, size, 3), 114, np.uint8)
        kept = []
        for k in range(4):
            source = self._photograph(rng) if rng.random() < 0.7 else self.draw(rng, self.scenes)
            image, boxes = source.read()
            part, boxes = place(rng, image, boxes, half, zoom=(0.9, 1.9))
            oy, ox = k // 2 * half, k % 2 * half
            canvas[oy : oy + half, ox : ox + half] = part
            kept.append(boxes + np.array([0, ox, oy, ox, oy]))
        return canvas, np.concatenate(kept)


def plain(rng: random.Random) -> np.ndarray:
    """Return a wall [240, 320, 3]: one colour running into another, white more often."""
    ends = [
        np.array([rng.uniform(120, 255)] * 3) + [rng.gauss(0, 12) for _ in range(3)]
        for _ in range(2)
    ]
    run = np.linspace(0, 1, 240)[:, None, None]
    wall = (ends[0] * (1 - run) + ends[1] * run).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(wall, (240, 320, 3)))


def _facts(picture: Picture) -> Path:
    return picture.path.parent.parent / "facts" / f"{picture.path.stem}.json"


def _finished(picture: Picture) -> bool:
    return _facts(picture).exists()


def _number(picture: Picture) -> int:
    return int(picture.path.stem.split("-")[1])


def _kind(picture: Picture) -> str:
    return str(json.loads(_facts(picture).read_text())["kind"])


def paste(
    rng: random.Random, image: np.ndarray, boxes: np.ndarray, piece: Picture
) -> tuple[np.ndarray, np.ndarray]:
    """Put a cut-out into a picture and forget what it hides for the most part."""
    cut, labels = piece.read()
    if cut.shape[2] != 4:
        return image, boxes
    h, w = image.shape[:2]
    solid = cut[..., 3] > 20
    if not solid.any():
        return image, boxes
    ys, xs = np.nonzero(solid)
    x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    cut = cut[y0:y1, x0:x1]
    labels = labels - np.array([0, x0, y0, x0, y0])
    scale = min(w, h) * min(rng.lognormvariate(-0.75, 0.45), 1.1) / max(cut.shape[:2])
    scale = min(scale, 2.5)
    cut = cv2.resize(
        cut,
        None,
        fx=scale,
        fy=scale,
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    labels = labels * np.array([1, scale, scale, scale, scale])
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
        labels[:, [1, 3]] = cut.shape[1] - labels[:, [3, 1]]
    if rng.random() < 0.7:
        cut = cut.copy()
        cut[..., :3] = spoil(rng, cut[..., :3], 0.3)
    ch, cw = cut.shape[:2]
    ox, oy = int(rng.uniform(-0.2 * cw, w - 0.8 * cw)), int(rng.uniform(-0.1 * ch, h - 0.75 * ch))
    ax0, ay0, ax1, ay1 = max(ox, 0), max(oy, 0), min(ox + cw, w), min(oy + ch, h)
    if ax1 - ax0 < 8 or ay1 - ay0 < 8:
        return image, boxes
    part = cut[ay0 - oy : ay1 - oy, ax0 - ox : ax1 - ox]
    alpha = part[..., 3:].astype(np.float32) / 255
    if rng.random() < 0.5:
        alpha = cv2.GaussianBlur(alpha, (0, 0), 0.7)[..., None]
    under = image[ay0:ay1, ax0:ax1]
    image = image.copy()
    image[ay0:ay1, ax0:ax1] = (part[..., :3] * alpha + under * (1 - alpha)).astype(np.uint8)
    new = labels + np.array([0, ox, oy, ox, oy])
    area = (new[:, 3] - new[:, 1]) * (new[:, 4] - new[:, 2])
    new[:, 1:] = new[:, 1:].clip([0, 0, 0, 0], [w, h, w, h])
    left = (new[:, 3] - new[:, 1]).clip(0) * (new[:, 4] - new[:, 2]).clip(0)
    new = new[left > 0.3 * area]
    if len(boxes):
        hidden = np.zeros((h, w), np.uint8)
        hidden[ay0:ay1, ax0:ax1] = alpha[..., 0] > 0.5
        keep = []
        for b in boxes:
            bx0, by0, bx1, by1 = b[1:].astype(int)
            keep.append(hidden[by0:by1, bx0:bx1].mean() < 0.6 if bx1 > bx0 and by1 > by0 else False)
        boxes = boxes[np.array(keep)]
    return image, np.concatenate((boxes, new))
