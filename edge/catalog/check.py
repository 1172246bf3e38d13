"""Whether a file is the model that the catalogue says it is."""

from __future__ import annotations

from pathlib import Path

from edge.catalog.digest import sha256_of
from edge.catalog.entry import Entry
from edge.detect.detector import FLOOR, Known, OnnxDetector, load_detector
from edge.detect.families import FAMILIES
from linli.errors import InputError


def check_file(entry: Entry, path: Path, *, where: str | None = None) -> None:
    """Hash and run a file. Raises InputError, with `where` in place of the path, if not right."""
    try:
        open_entry(entry, path)
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


def open_entry(
    entry: Entry,
    path: Path,
    *,
    threads: int = 1,
    name: str | None = None,
    floor: float = FLOOR,
) -> OnnxDetector:
    """Load a detector of the catalogue. Raises InputError when the file is not what it says."""
    if entry.task != "detection":
        raise InputError(
            f"model {entry.name!r} is for {entry.task}, not for detection", where=str(path)
        )
    if entry.decoder not in FAMILIES:
        raise InputError(
            f"no decoder is called {entry.decoder!r}",
            where=f"model {entry.name}",
            hint=f"There is: {', '.join(FAMILIES)}",
        )
    check_content(entry, path)
    known = Known(
        version=entry.version,
        classes=entry.names,
        thresholds={label: entry.threshold_of(label) for label in entry.names},
        overlap=entry.overlap,
    )
    detector = load_detector(
        path, threads=threads, name=name or entry.name, floor=floor, known=known
    )
    wants = detector.decoder.wants
    for what, has, says in (
        ("decoder", detector.decoder.family, entry.decoder),
        ("input", f"{wants.width} x {wants.height}", "{} x {}".format(*entry.input)),
    ):
        if has != says:
            raise InputError(
                f"has the {what} {has}, the catalogue says {says} of model {entry.name!r}",
                where=str(path),
                hint="It is another file",
            )
    return detector
