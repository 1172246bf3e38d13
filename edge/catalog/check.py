"""Whether a file is the model that the catalogue says it is."""

from __future__ import annotations

from pathlib import Path

from edge.catalog.digest import sha256_of
from edge.catalog.entry import Entry, Task
from edge.classify.classifier import OnnxClassifier, load_classifier
from edge.detect.decoder import Input
from edge.detect.detector import FLOOR, Known, OnnxDetector, load_detector
from edge.detect.families import FAMILIES
from edge.detect.second_look import SecondLook
from linli.errors import InputError

CLASSIFIER = "softmax"  # the one family of classifiers


def check_file(entry: Entry, path: Path, *, where: str | None = None) -> None:
    """Hash and run a file. Raises InputError, with `where` in place of the path, if not right."""
    try:
        if entry.task == "detection":
            open_detector(entry, path)
        else:
            open_classifier(entry, path)
    except InputError as error:
        raise InputError(error.what, where=where or error.where, hint=error.hint) from None


def check_content(entry: Entry, path: Path) -> None:
    """Compare size and hash of a file with the catalogue's. Raises InputError."""
    where = str(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=where) from None
    if entry.size is not None and size != entry.size:
        raise InputError(
            f"has {size:,} bytes, the file of model {entry.name!r} has {entry.size:,}",
            where=where,
            hint="It is cut short or another file",
        )
    digest = sha256_of(path)
    if entry.sha256 is not None and digest != entry.sha256:
        raise InputError(
            f"has sha256 {digest[:12]}…, the file of model {entry.name!r} has {entry.sha256[:12]}…",
            where=where,
            hint="It is damaged or another file",
        )


def open_detector(
    entry: Entry,
    path: Path,
    *,
    threads: int = 1,
    name: str | None = None,
    floor: float = FLOOR,
    second: SecondLook | None = None,
) -> OnnxDetector:
    """Load a detector of the catalogue. Raises InputError when the file is not what it says."""
    _check_task(entry, "detection", tuple(FAMILIES))
    check_content(entry, path)
    scores = {label: entry.threshold_of(label) for label in entry.names}
    known = Known(
        version=entry.version,
        classes=entry.names,
        thresholds={label: score for label, score in scores.items() if score is not None},
        overlap=entry.overlap,
        rivals=entry.rivals,
    )
    detector = load_detector(
        path,
        threads=threads,
        name=name or entry.name,
        floor=floor,
        known=known,
        second=second,
    )
    _compare("decoder", detector.decoder.family, entry.decoder, entry, path)
    _compare_input(detector.decoder.wants, entry, path)
    return detector


def open_classifier(
    entry: Entry, path: Path, *, threads: int = 1, name: str | None = None
) -> OnnxClassifier:
    """Load a classifier of the catalogue. Raises InputError when the file is not what it says."""
    _check_task(entry, "classification", (CLASSIFIER,))
    check_content(entry, path)
    classifier = load_classifier(
        path, threads=threads, name=name or entry.name, threshold=entry.threshold
    )
    has, says = ", ".join(classifier.classes.names), ", ".join(entry.names)
    _compare("classes", has, says, entry, path)
    _compare_input(classifier.wants, entry, path)
    return classifier


def _check_task(entry: Entry, task: Task, decoders: tuple[str, ...]) -> None:
    where = f"model {entry.name}"
    if entry.task != task:
        raise InputError(f"is for {entry.task}, not for {task}", where=where)
    if entry.decoder not in decoders:
        raise InputError(
            f"no decoder for {task} is called {entry.decoder!r}",
            where=where,
            hint=f"There is: {', '.join(decoders)}",
        )


def _compare_input(wants: Input, entry: Entry, path: Path) -> None:
    says = "{} x {}".format(*entry.input)
    _compare("input", f"{wants.width} x {wants.height}", says, entry, path)


def _compare(what: str, has: str, says: str, entry: Entry, path: Path) -> None:
    if has != says:
        raise InputError(
            f"has the {what} {has}, the catalogue says {says} of model {entry.name!r}",
            where=str(path),
            hint="It is another file",
        )
