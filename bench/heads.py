"""How many heads the redaction covers, on photographs whose heads were labelled.

    python bench/heads.py ../shared/data/coco-val128/images
    python bench/heads.py PICTURES --light 0.2
    python bench/heads.py PICTURES --labels models/heads/coco-val128.txt --model builtin --json

A head is covered when nine tenths of its box lie in what is hidden: the labels are no better
than that. `one look` is what the model sees in the whole picture alone, `closer` what is used.
With `--light` the photographs are dimmed to that share, with a sensor's noise; those too dark to
be kept are left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.catalog.load import load_model
from edge.detect.detector import Detector
from edge.geometry import Floats
from edge.redact import Image, head_of
from edge.redactor import PERSON, Redactor, is_dark
from linli.clock import SystemClock

ROOT = Path(__file__).resolve().parents[1]
LABELS = ROOT / "models" / "heads" / "coco-val128.txt"
COVERED = 0.9
SMALLEST = 24
NOISE = 1.5  # of 255, standard deviation
SIZES = ((24, 48), (48, 96), (96, 10_000))


@dataclass(frozen=True, slots=True)
class Head:
    """A labelled head: the longer side in pixels, and the share of it that was hidden."""

    picture: str
    size: float
    hidden: float


def labels_of(path: Path) -> dict[str, Floats]:
    """Return the boxes [n, 4] (0..1) of each picture."""
    rows: dict[str, list[list[float]]] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, *box = line.split()
            rows.setdefault(name, []).append([float(value) for value in box])
    return {name: np.array(boxes, np.float32) for name, boxes in rows.items()}


def hidden_part(image: Image, people: Floats) -> Image:
    """Return what is hidden [height, width], 0 or 1."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for box in people * np.array([width, height, width, height]):
        x1, y1, x2, y2 = (max(value, 0.0) for value in head_of(box))
        mask[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = 1
    return mask


def heads_in(name: str, mask: Image, boxes: Floats) -> Iterator[Head]:
    """Yield how the heads of one picture fared."""
    height, width = mask.shape
    for x1, y1, x2, y2 in boxes * np.array([width, height, width, height]):
        size = max(x2 - x1, y2 - y1)
        if size >= SMALLEST:
            part = mask[round(y1) : round(y2), round(x1) : round(x2)]
            yield Head(name, float(size), float(part.mean()))


def dimmed(image: Image, light: float, noise: np.random.Generator) -> Image:
    """Return a picture as with less light before the same lens."""
    dark = image * light + noise.normal(0, NOISE, image.shape)
    return np.clip(np.round(dark), 0, 255).astype(np.uint8)


def measure(
    pictures: Path, labels: dict[str, Floats], detector: Detector, light: float = 1.0
) -> dict[str, object]:
    """Return the figures of one look and of closer ones."""
    noise, withheld = np.random.default_rng(1), 0
    redactor = Redactor(detector, SystemClock())
    person = detector.names.index(PERSON)
    heads: dict[str, list[Head]] = {"one look": [], "closer": []}
    shares: dict[str, list[float]] = {"one look": [], "closer": []}
    for name, boxes in sorted(labels.items()):
        read = cv2.imread(str(pictures / name))
        if read is None:
            raise SystemExit(f"{pictures / name}: no picture that can be read")
        image = np.asarray(read, np.uint8)
        if light < 1:
            image = dimmed(image, light, noise)
        if is_dark(image):
            withheld += 1
            continue
        found = detector.detect(image)
        seen = found.boxes[found.classes == person]
        for way, people in (("one look", seen), ("closer", redactor.people(image, seen))):
            mask = hidden_part(image, people)
            heads[way] += heads_in(name, mask, boxes)
            shares[way].append(float(mask.mean()))
    return {
        "pictures": len(labels),
        "withheld": withheld,
        **{way: figures(heads[way], shares[way]) for way in heads},
    }


def figures(heads: list[Head], shares: list[float]) -> dict[str, object]:
    """Return shares of heads covered, of all and by size in pixels, and who was missed."""
    by_size = {
        f"{low}-{high}" if high < 10_000 else f"{low}+": _share(
            [head for head in heads if low <= head.size < high], COVERED
        )
        for low, high in SIZES
    }
    return {
        "heads": len(heads),
        "covered": _share(heads, COVERED),
        "half": _share(heads, 0.5),
        "by_size": by_size,
        "picture_hidden": round(float(np.mean(shares)), 3),
        "missed": [
            f"{head.picture}: {head.size:.0f} px, {head.hidden:.2f} hidden"
            for head in heads
            if head.hidden < COVERED
        ],
    }


def _share(heads: list[Head], hidden: float) -> float | None:
    if not heads:
        return None
    return round(sum(head.hidden >= hidden for head in heads) / len(heads), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--light", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    found = measure(given.pictures, labels_of(given.labels), load_model(given.model), given.light)
    if given.json:
        print(json.dumps(found, indent=1))
        return
    print(
        f"{found['pictures']} pictures, {found['withheld']} of them withheld; heads of {SMALLEST}"
        " pixels and more"
    )
    for way in ("one look", "closer"):
        one = found[way]
        assert isinstance(one, dict)
        print(f"{way}: {one['heads']} heads, covered {one['covered']}, half {one['half']}")
        print(f"  by size {one['by_size']}; {one['picture_hidden']} of the pictures hidden")
        for missed in one["missed"]:
            print(f"  {missed}")


if __name__ == "__main__":
    main()
