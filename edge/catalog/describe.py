"""What a file of unknown origin says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.catalog.check import CLASSIFIER
from edge.catalog.entry import COCO_IDS, Task
from edge.classify.classifier import is_classifier, load_classifier
from edge.detect.decoder import Input
from edge.detect.detector import Known, load_detector
from edge.detect.onnx_session import open_session
from linli.errors import InputError
from linli.events import ModelRef


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry of the catalogue needs that only the file can tell."""

    task: Task
    decoder: str
    classes: tuple[str, ...] | Literal["coco"]
    wants: Input
    model: ModelRef
    size: int


def look_into(file: Path, classes: tuple[str, ...] | None) -> Facts:
    """Run a file once; `classes` name what it does not name itself.

    Raises InputError when no decoder knows it, or nothing tells the names of its classes.
    """
    classifies = is_classifier(open_session(file).signature)
    size = file.stat().st_size
    if classifies:
        classifier = load_classifier(file, name="new")
        names = classifier.classes.names
        if classes not in {None, names}:
            raise InputError(f"its metadata names the classes {', '.join(names)}", where=str(file))
        return Facts("classification", CLASSIFIER, names, classifier.wants, classifier.model, size)
    detector = load_detector(file, name="new", known=Known(classes=classes))
    decoder = detector.decoder
    names = detector.names
    return Facts(
        "detection",
        decoder.family,
        "coco" if names == COCO_IDS else names,
        decoder.wants,
        detector.model,
        size,
    )
