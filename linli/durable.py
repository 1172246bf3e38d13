"""Files that are there whole or not at all, for their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from linli.log import get_logger

log = get_logger(__name__)


def unlink(file: Path) -> None:
    """Remove a file, if it is there; that it cannot be is logged."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed (%s)", file, error.strerror)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all. Raises OSError."""
    half = path.with_suffix(path.suffix + ".half")
    try:
        descriptor = os.open(half, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError:
        unlink(half)
        raise


def keep_names(folder: Path) -> None:
    """Make what was renamed into a folder safe against a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
