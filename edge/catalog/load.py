"""Models as people name them: a path, a name of the catalogue, or `builtin`."""

from __future__ import annotations

from pathlib import Path

from edge.catalog.book import Book, find_file, open_book
from edge.catalog.check import open_classifier, open_detector
from edge.classify.classifier import OnnxClassifier, is_classifier, load_classifier
from edge.classify.second_look import ClassifierLook
from edge.detect.detector import FLOOR, OnnxDetector, load_detector
from edge.detect.onnx_session import open_session
from linli.errors import InputError

_TWO = 2


def load_model(
    wanted: str | Path,
    *,
    threads: int = 1,
    name: str | None = None,
    floor: float = FLOOR,
    book: Book | None = None,
) -> OnnxDetector:
    """Load a detector by path or name, with the thresholds that the catalogue ships for it.

    A file given by its path gets them too when the catalogue knows its content. Raises InputError
    when there is no such model, or its file is not the one that the catalogue knows.
    """
    book = book or open_book()
    path, entry = find_file(wanted, book)
    if entry is None:
        return load_detector(path, threads=threads, name=name, floor=floor)
    second = None if entry.second is None else load_second(entry.second, threads=threads, book=book)
    return open_detector(entry, path, threads=threads, name=name, floor=floor, second=second)


def load_second(wanted: str, *, threads: int = 1, book: Book) -> ClassifierLook:
    """Load the classifier of a second look by its name. Raises InputError when it is none."""
    path, entry = find_file(wanted, book)
    if entry is None or len(entry.names) != _TWO:
        raise InputError("a second look needs a classifier of two classes", where=wanted)
    return ClassifierLook(open_classifier(entry, path, threads=threads))


def load_any(
    wanted: str | Path,
    *,
    threads: int = 1,
    name: str | None = None,
    floor: float = FLOOR,
    book: Book | None = None,
) -> OnnxDetector | OnnxClassifier:
    """Load a detector or a classifier, whichever it is, by path or name. Raises InputError."""
    path, entry = find_file(wanted, book or open_book())
    if entry is not None and entry.task == "classification":
        return open_classifier(entry, path, threads=threads, name=name)
    if entry is None and is_classifier(open_session(path).signature):
        return load_classifier(path, threads=threads, name=name)
    return load_model(wanted, threads=threads, name=name, floor=floor, book=book)
