"""`linli models eval` for a classifier: every picture of a folder, with progress."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.classify.classifier import OnnxClassifier
from edge.detect.letterbox import Image
from linli.cli.models.classification.folder import Picture, read_sorted
from linli.cli.models.classification.measure import OTHER, Figures, measure
from linli.cli.models.classification.report import document, table
from linli.errors import InputError

_EVERY = 100


def evaluate_classifier(
    classifier: OnnxClassifier,
    folder: Path,
    given: Sequence[str],
    say: Callable[[str], object],
    *,
    as_json: bool,
) -> Iterator[str]:
    """Measure, and give the lines to print; `given` are the thresholds of the command line."""
    threshold = _threshold(given, classifier.classes.threshold)
    figures = measure_folder(classifier, folder, threshold, say)
    if as_json:
        yield json.dumps(document(figures), ensure_ascii=False)
    else:
        yield from table(figures)


def measure_folder(
    classifier: OnnxClassifier, folder: Path, threshold: float, say: Callable[[str], object]
) -> Figures:
    """Measure a classifier on sub-folders of pictures. Raises InputError."""
    names = classifier.classes.names
    pictures = read_sorted(folder, names)
    rows = []
    for number, picture in enumerate(pictures, 1):
        rows.append(classifier.probabilities(_read(picture.path)))
        if number % _EVERY == 0 or number == len(pictures):
            say(f"{number}/{len(pictures)} pictures")
    return measure(np.stack(rows), _truth(pictures), names, threshold)


def _threshold(given: Sequence[str], shipped: float) -> float:
    if not given:
        return shipped
    try:
        value = float(given[-1])
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise InputError(
            f"must be a probability above 0, at most 1, not {given[-1]!r}",
            where="--threshold",
            hint="A classifier has one threshold for all its classes",
        )
    return value


def _truth(pictures: Sequence[Picture]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([OTHER if p.truth is None else p.truth for p in pictures], np.int64)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError("not a picture that can be read", where=str(path))
    return np.asarray(image, np.uint8)
