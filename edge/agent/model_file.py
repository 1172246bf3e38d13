"""The model's file: the last good one goes on when it is swapped for what cannot be used.

A loaded model lives in memory; what a restart would need is kept beside the spool.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.agent.crew import Crew
from edge.catalog.book import find_file, open_book
from edge.catalog.load import load_model
from edge.detect.detector import OnnxDetector
from edge.settings import EdgeSettings, Model
from linli.errors import InputError
from linli.log import get_logger
from linli.settings import make_folder
from linli.topics import is_id

log = get_logger(__name__)

NAME = "model"
EVERY = 20.0
"""Seconds between two looks at the file."""
BUILTIN = Model().file
COPY, NOTE = "model-good.onnx", "model-good.json"


class _Note(msgspec.Struct, frozen=True):
    """Of which wanted file the copy is, and what it was called."""

    file: str
    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A detector that runs, and why it is not that of the wanted file, if so."""

    detector: OnnxDetector
    fault: str | None = None


def load_wanted(settings: EdgeSettings) -> Loaded:
    """Load the wanted model, or when it cannot be used the one that last could. InputError."""
    model = settings.model
    try:
        detector = _load(model)
    except InputError as error:
        kept = _load_kept(settings)
        if kept is None:
            raise
        log.error("model: %s; going on with the last good one", error)  # noqa: TRY400
        return Loaded(kept, _said(error))
    _keep(settings, detector)
    return Loaded(detector)


class ModelFile:
    """Looks at the file now and then; `fault` is why it cannot be used, while another one runs.

    `renew` is called when it is good again and another than the one that runs.
    """

    def __init__(self, settings: EdgeSettings, renew: Callable[[], None]) -> None:
        self.fault: str | None = None
        self._settings = settings
        self._renew = renew
        self._runs: str | None = None
        self._seen: tuple[int, ...] | None = None
        self._stop = threading.Event()

    def runs(self, loaded: Loaded) -> None:
        """Note what was loaded; nothing is looked at before."""
        self.fault = loaded.fault
        self._runs = loaded.detector.model.sha256
        self._seen = None if loaded.fault else self._stamp()

    def start(self, crew: Crew) -> None:
        """Look now and then, in a thread."""
        if self._runs is not None:
            crew.start(NAME, self._run)

    def end(self, crew: Crew) -> None:
        """End the thread."""
        self._stop.set()
        crew.join(NAME)

    def look(self) -> None:
        """See whether the file is another one than before, and whether it can be used."""
        stamp = self._stamp()
        if self._runs is None or stamp == self._seen:
            return
        self._seen = stamp
        try:
            detector = _load(self._settings.model)
        except InputError as error:
            if self.fault is None:
                log.error("model: %s; the one that runs goes on", error)  # noqa: TRY400
            self.fault = _said(error)
            return
        if self.fault is not None:
            log.warning("model: the file is good again")
        self.fault = None
        if detector.model.sha256 != self._runs:
            self._renew()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self.look()

    def _stamp(self) -> tuple[int, ...]:
        """Return what changes when the file does; nothing while there is none."""
        with suppress(InputError, OSError):
            file = self._settings.model.file
            found = (find_file(file, open_book())[0] if is_id(file) else Path(file)).stat()
            return found.st_ino, found.st_size, found.st_mtime_ns
        return ()


def _said(error: InputError) -> str:
    """Return it short, by the file's name alone: a report has room for a hundred characters."""
    return f"{error.where.rpartition('/')[2]}: {error.what}"


def _load(model: Model) -> OnnxDetector:
    return load_model(model.file, threads=model.threads, name=model.name, book=open_book())


def _load_kept(settings: EdgeSettings) -> OnnxDetector | None:
    copy, model = settings.folder / COPY, settings.model
    try:
        note = msgspec.json.decode((settings.folder / NOTE).read_bytes(), type=_Note)
        if note.file != model.file:
            return None
        kept = load_model(copy, threads=model.threads, name=note.name, book=open_book())
    except (OSError, msgspec.DecodeError, InputError):
        return None
    return kept if kept.model.sha256 == note.sha256 else None


def _keep(settings: EdgeSettings, detector: OnnxDetector) -> None:
    """Keep a copy for the next start; the one that Linli brings is there with Linli."""
    model, folder = settings.model, settings.folder
    if model.file == BUILTIN:
        return
    note = _Note(model.file, detector.model.sha256, detector.model.name)
    try:
        with suppress(FileNotFoundError, msgspec.DecodeError):
            if msgspec.json.decode((folder / NOTE).read_bytes(), type=_Note) == note:
                return
        path, _ = find_file(model.file, open_book())
        make_folder(folder)
        _write(folder / COPY, path.read_bytes())
        _write(folder / NOTE, msgspec.json.encode(note))
    except (OSError, InputError) as error:
        log.warning("model: no copy of the good file is kept (%s)", error)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
