"""YOLO labels: a text file per picture, one object a line, the names in classes.txt."""

from __future__ import annotations

from pathlib import Path

import click

from edge.detect.names import COCO
from linli.cli.models.evaluation.labelled import SUFFIXES, Labelled, LabelledSet, Truth, read_text
from linli.counted import counted
from linli.errors import InputError

LISTING = "classes.txt"
_SLACK = 0.01  # of the picture: tools round, and boxes at its edge come out a little beyond it


def read_yolo(folder: Path) -> LabelledSet:
    """Read images/, labels/ and classes.txt, or COCO's 80 names without it. Raises InputError."""
    images, labels = folder / "images", folder / "labels"
    pictures = sorted(path for path in images.iterdir() if path.suffix.lower() in SUFFIXES)
    if not pictures:
        raise InputError(
            "no pictures in it", where=str(images), hint=f"Known: {' '.join(sorted(SUFFIXES))}"
        )
    names, named_by = _names(folder)
    bare = 0
    read = []
    for picture in pictures:
        label = labels / f"{picture.stem}.txt"
        bare += not label.exists()
        truths = read_label(label, len(names), named_by) if label.exists() else ()
        read.append(Labelled(picture, truths))
    _say_orphans(labels, {picture.stem for picture in pictures})
    if bare:
        click.echo(f"without a label file, taken as empty: {counted(bare, 'picture')}", err=True)
    return LabelledSet(names, named_by, tuple(read))


def _say_orphans(labels: Path, pictures: set[str]) -> None:
    """What was labelled and is not measured would go unnoticed otherwise."""
    stems = {path.stem for path in labels.glob("*.txt")} - {Path(LISTING).stem}
    if orphans := len(stems - pictures):
        click.echo(f"without a picture, left out: {counted(orphans, 'label file')}", err=True)


def read_label(path: Path, classes: int, named_by: str) -> tuple[Truth, ...]:
    """Read one label file; no lines mean an empty picture. Raises InputError."""
    truths = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            truths.append(_truth(line.split(), classes))
        except ValueError:
            raise InputError(
                f"line {number} must be class (0..{classes - 1}) x y width height (0..1), "
                f"not {line.strip()[:80]!r}",
                where=str(path),
                hint=f"The classes are those of {named_by}",
            ) from None
    return tuple(truths)


def _truth(fields: list[str], classes: int) -> Truth:
    kind, (x, y, width, height) = _numbers(fields)
    inside = all(-_SLACK <= value <= 1 + _SLACK for value in (x, y, width, height))
    if not 0 <= kind < classes or not inside or min(width, height) < 0:
        raise ValueError
    return Truth(kind, (x - width / 2, y - height / 2, width, height))


def _numbers(fields: list[str]) -> tuple[int, tuple[float, ...]]:
    kind, *box = fields
    return int(kind), tuple(float(value) for value in box)


def _names(folder: Path) -> tuple[tuple[str, ...], str]:
    for listing in (folder / LISTING, folder / "labels" / LISTING):
        if listing.exists():
            break
    else:
        click.echo("no classes.txt: class numbers are read as COCO's 80", err=True)
        return COCO, "COCO"
    names = tuple(line.strip() for line in read_text(listing).splitlines() if line.strip())
    if not names or len(set(names)) != len(names):
        raise InputError(
            "needs one name a line, each once", where=str(listing), hint="Mend the list"
        )
    return names, listing.name
