"""Which labels a folder has, and reading them."""

from __future__ import annotations

from pathlib import Path

from linli.cli.models.evaluation.coco import read_coco
from linli.cli.models.evaluation.labelled import LabelledSet
from linli.cli.models.evaluation.yolo import read_yolo
from linli.errors import InputError

_MOST_NAMED = 5


def read_labelled(folder: Path, labels: Path | None) -> LabelledSet:
    """Read the labelled pictures of a folder.

    `labels` is a COCO document. When not given: labels/ beside images/ are YOLO's, else there must
    be one .json in the folder or its annotations/. Raises InputError, also when nothing is
    labelled.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), hint="Check the path")
    found = _read(folder, labels)
    if not any(labelled.truths for labelled in found.pictures):
        raise InputError("no labelled object in any picture", where=str(labels or folder))
    return found


def _read(folder: Path, labels: Path | None) -> LabelledSet:
    if labels is not None:
        return read_coco(folder, labels)
    if (folder / "images").is_dir() and (folder / "labels").is_dir():
        return read_yolo(folder)
    documents = [*sorted(folder.glob("*.json")), *sorted(folder.glob("annotations/*.json"))]
    if len(documents) == 1:
        return read_coco(folder, documents[0])
    if documents:
        named = ", ".join(str(path.relative_to(folder)) for path in documents[:_MOST_NAMED])
        raise InputError(
            f"there are {len(documents)} JSON documents ({named})",
            where=str(folder),
            hint="Say which with --labels FILE",
        )
    raise InputError(
        "no labels found",
        where=str(folder),
        hint="FOLDER must hold images/ and labels/ (YOLO), or pictures and one COCO .json",
    )
