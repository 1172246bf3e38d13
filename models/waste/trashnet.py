"""TrashNet's photographs: which part each belongs to, and how training varies them.

Run as a script it links one part into a folder:
`python models/waste/trashnet.py ../shared/data/trashnet held --out HELD`.
"""

import argparse
import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

Image = np.ndarray
HELD, VALIDATION = 0.2, 0.15


@dataclass(frozen=True)
class Sample:
    """One photograph and the number of its class."""

    path: Path
    kind: int


def kinds(folder: Path) -> list[str]:
    """Return the names of the classes: the sub-folders, in order."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir())


def parts(folder: Path, seed: int) -> dict[str, list[Sample]]:
    """Divide the photographs into `held`, `validation` and `train`, class by class.

    The names of a class are put in the order of the SHA-256 of "SEED/CLASS/NAME"; the first 20 %
    (rounded) are held out, the next 15 % of all that remain validate, the others train.
    """
    out: dict[str, list[Sample]] = {"held": [], "validation": [], "train": []}
    for number, kind in enumerate(kinds(folder)):
        files = sorted(
            (folder / kind).glob("*.jpg"),
            key=lambda p: hashlib.sha256(f"{seed}/{kind}/{p.name}".encode()).hexdigest(),
        )
        held = round(len(files) * HELD)
        validation = held + round((len(files) - held) * VALIDATION)
        for name, chosen in (
            ("held", files[:held]),
            ("validation", files[held:validation]),
            ("train", files[validation:]),
        ):
            out[name] += [Sample(p, number) for p in chosen]
    return out


def read(path: Path) -> Image:
    """Return a BGR picture [h, w, 3]."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not a picture")
    return image


def fit(image: Image, size: int) -> Image:
    """Squeeze a picture into a square just as `edge/classify` does."""
    height, width = image.shape[:2]
    times = min(height, width) // size
    if times > 1:
        shrunk = (width // times, height // times)
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, (size, size))


def tensor(images: Iterable[Image], size: int) -> np.ndarray:
    """Return float32 [n, 3, size, size] BGR 0..255."""
    stack = np.stack([fit(image, size) for image in images])
    return np.ascontiguousarray(stack.transpose(0, 3, 1, 2), np.float32)


def view(rng: random.Random, image: Image, size: int, least: float) -> Image:
    """Cut out, turn, mirror and squeeze a part of at least `least` of the picture's area."""
    h, w = image.shape[:2]
    side, aspect = rng.uniform(least, 1.0) ** 0.5, rng.uniform(0.8, 1.25) ** 0.5
    wide, high = min(side * aspect, 1.0) * w, min(side / aspect, 1.0) * h
    x, y = (
        rng.uniform(-1, 1) * (w - wide) / 2 + w / 2,
        rng.uniform(-1, 1) * (h - high) / 2 + h / 2,
    )
    angle = np.radians(rng.choice((0, 0, 90, 180, 270)) + rng.gauss(0, 8))
    c, s, mirror = np.cos(angle), np.sin(angle), rng.choice((-1, 1))
    turn = np.diag([size / wide, size / high]) @ np.array([[c * mirror, -s], [s * mirror, c]])
    matrix = np.column_stack((turn, np.full(2, size / 2) - turn @ np.array([x, y])))
    way = cv2.INTER_AREA if wide * high > size * size else cv2.INTER_LINEAR
    return cv2.warpAffine(image, matrix, (size, size), flags=way, borderMode=cv2.BORDER_REFLECT_101)


def ground(rng: random.Random, image: Image, texture: Image, most: float) -> Image:
    """Lay what is on white paper on another ground: multiply by a texture of some contrast."""
    h, w = image.shape[:2]
    soft = cv2.GaussianBlur(cv2.resize(texture, (w, h)), (0, 0), rng.uniform(1, 12))
    share = rng.uniform(0, most)
    return (
        (image * (1 - share + share * soft.astype(np.float32) / 255)).clip(0, 255).astype(np.uint8)
    )


def main() -> None:
    """Link one part into a folder of its own, one sub-folder for each class."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("part", choices=("held", "validation", "train"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for sample in parts(args.folder, args.seed)[args.part]:
        target = args.out / sample.path.parent.name / sample.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(sample.path.resolve())


if __name__ == "__main__":
    main()
