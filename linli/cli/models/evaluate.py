"""`linli models eval`: how good a detection model is, measured on labelled pictures."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from edge.detect.detector import OnnxDetector, load_detector
from edge.detect.letterbox import Image
from edge.detect.names import COCO, slug
from linli.errors import InputError

FLOOR = 0.01
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_LABEL_FIELDS = 5
_STEP = 16

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture and its objects: (index into the folder's names, x, y, width, height in 0..1)."""

    picture: Path
    objects: tuple[tuple[int, Box], ...]


@click.command(
    name="eval",
    epilog="Example: linli models eval yolox_nano.onnx labelled-photographs --json",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of one inference.",
)
def evaluate(model: Path, folder: Path, as_json: bool, threads: int) -> None:
    """Measure MODEL on the labelled pictures of FOLDER, as COCO does.

    FOLDER holds images/ and labels/ (YOLO text: class x y width height, 0..1). Its classes.txt
    names the classes, one a line; without it they are COCO's 80. Scores from 0.01, suppression by
    class at 0.45, at most 100 boxes a picture.
    """
    detector = load_detector(model, threads=threads, name="measured", floor=FLOOR)
    names = read_names(folder)
    result = measure(detector, list(read_folder(folder, len(names))), names)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    click.echo(f"AP {result['AP']:.3f}   AP50 {result['AP50']:.3f}")
    for name, row in result["per_class"].items():
        click.echo(f"{name:<20} AP {row['AP']:.3f}   AP50 {row['AP50']:.3f}   n {row['n']}")


def read_names(folder: Path) -> tuple[str, ...]:
    """Return the class names of a folder. Raises InputError."""
    listing = folder / "classes.txt"
    if not listing.exists():
        return COCO
    try:
        lines = listing.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read ({error})", where=str(listing), hint="Save it as UTF-8"
        ) from None
    names = tuple(line.strip() for line in lines if line.strip())
    if not names or len(set(names)) != len(names):
        raise InputError(
            "needs one name a line, each once", where=str(listing), hint="Mend the list"
        )
    return names


def read_folder(folder: Path, classes: int) -> Iterator[Labelled]:
    """Give the labelled pictures in order of their names. Raises InputError."""
    images, labels = folder / "images", folder / "labels"
    for needed in (folder, images, labels):
        if not needed.is_dir():
            raise InputError(
                "no such folder", where=str(needed), hint="FOLDER must hold images/ and labels/"
            )
    pictures = sorted(path for path in images.iterdir() if path.suffix.lower() in _PICTURES)
    if not pictures:
        raise InputError(
            "no pictures in it", where=str(images), hint=f"Known: {' '.join(sorted(_PICTURES))}"
        )
    for picture in pictures:
        label = labels / f"{picture.stem}.txt"
        yield Labelled(picture, read_label(label, classes) if label.exists() else ())


def read_label(path: Path, classes: int) -> tuple[tuple[int, Box], ...]:
    """Read one YOLO label file; no lines mean an empty picture. Raises InputError."""
    objects = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        try:
            kind, (x, y, width, height) = int(fields[0]), map(float, fields[1:])
        except ValueError:
            kind, (x, y, width, height) = -1, (0.0, 0.0, 0.0, 0.0)
        if not 0 <= kind < classes or len(fields) != _LABEL_FIELDS:
            raise InputError(
                f"line {number} must be class (0..{classes - 1}) x y width height, not {line!r}",
                where=str(path),
            )
        objects.append((kind, (x - width / 2, y - height / 2, width, height)))
    return tuple(objects)


def measure(
    detector: OnnxDetector, pictures: list[Labelled], names: tuple[str, ...]
) -> dict[str, Any]:
    """Return {"AP", "AP50", "per_class"}; classes without labelled objects are left out."""
    index = match(names, detector.names)
    kinds = [index.get(name) for name in detector.names]
    images: list[dict[str, int]] = []
    truths: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, labelled in enumerate(pictures, 1):
        image = _read_picture(labelled.picture)
        size = np.array([image.shape[1], image.shape[0]] * 2)
        images.append({"id": number, "width": image.shape[1], "height": image.shape[0]})
        for kind, box in labelled.objects:
            bbox = (np.array(box) * size).tolist()
            truth = {"id": len(truths) + 1, "area": bbox[2] * bbox[3], "iscrowd": 0}
            truths.append({**truth, "image_id": number, "category_id": kind, "bbox": bbox})
        seen = detector.detect(image)
        corners = seen.boxes * size
        corners[:, 2:] -= corners[:, :2]
        for bbox_, score, class_ in zip(corners, seen.scores, seen.classes, strict=True):
            row = {"image_id": number, "category_id": kinds[class_], "bbox": bbox_.tolist()}
            if row["category_id"] is not None:
                found.append({**row, "score": float(score)})
        if number % _STEP == 0 or number == len(pictures):
            click.echo(f"{number}/{len(pictures)} pictures", err=True)
    if not truths:
        raise InputError("no labelled object in any picture", where=str(pictures[0].picture.parent))
    labelled_kinds = {truth["category_id"] for truth in truths}
    absent = [names[kind] for kind in sorted(labelled_kinds - set(index.values()))]
    if absent:
        click.echo(
            f"the model has no class {', '.join(absent)}: these objects count as not found. "
            f"Its classes: {', '.join(detector.names)}",
            err=True,
        )
    return _coco(images, truths, found, names)


def match(names: Sequence[str], known: Sequence[str]) -> dict[str, int]:
    """Return {class of the model: index into the folder's `names`}, for those that both have.

    A name is the model's class as it stands, or as an id ("cell phone" is "cell-phone"). Raises
    InputError when two names are one class.
    """
    index: dict[str, int] = {}
    for number, name in enumerate(names):
        key = name if name in known else _id_of(name)
        if key in index:
            raise InputError(
                f"{names[index[key]]!r} and {name!r} are both the model's class {key!r}",
                where="classes.txt",
                hint="Give one of them another name",
            )
        if key in known:
            index[key] = number
    return index


def _id_of(name: str) -> str:
    try:
        return slug(name)
    except ValueError:  # nothing of it is ASCII, as with 电动车
        return name


def _read_picture(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise InputError("not a picture that can be read", where=str(path))
    return np.asarray(image, np.uint8)


def _coco(
    images: list[dict[str, int]],
    truths: list[dict[str, Any]],
    found: list[dict[str, Any]],
    names: tuple[str, ...],
) -> dict[str, Any]:
    from pycocotools import coco as library
    from pycocotools.cocoeval import COCOeval

    counts: dict[int, int] = {}
    for truth in truths:
        counts[truth["category_id"]] = counts.get(truth["category_id"], 0) + 1
    kinds = sorted(counts)
    with contextlib.redirect_stdout(io.StringIO()):  # the library prints its progress there
        coco = library.COCO()
        coco.dataset = {
            "info": {},
            "images": images,
            "annotations": truths,
            "categories": [{"id": kind, "name": names[kind]} for kind in kinds],
        }
        coco.createIndex()
        empty = {"image_id": 1, "category_id": kinds[0], "bbox": [0, 0, 0, 0], "score": 0.0}
        evaluation = COCOeval(coco, coco.loadRes(found or [empty]), "bbox")
        evaluation.params.catIds = kinds
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # [overlaps, recalls, classes]
    return {
        "AP": _mean(precision),
        "AP50": _mean(precision[0]),
        "per_class": {
            names[kind]: {
                "AP": _mean(precision[:, :, column]),
                "AP50": _mean(precision[0, :, column]),
                "n": counts[kind],
            }
            for column, kind in enumerate(kinds)
        },
    }


def _mean(precision: Any) -> float:
    valid = precision[precision > -1]
    return round(float(valid.mean()), 4) if valid.size else 0.0
