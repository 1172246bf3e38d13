"""All models one can name: those Linli knows, and the user's own beside their files."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.catalog.digest import sha256_of
from edge.catalog.entry import Catalog, Entry
from linli.errors import InputError
from linli.log import get_logger
from linli.resources import resource
from linli.settings import load
from linli.topics import is_id

CATALOG = "catalog.toml"
FOLDER_VARIABLE = "LINLI_MODELS"

Origin = Literal["built-in", "known", "own"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """An entry, who brought it, and where its file is, or would be."""

    entry: Entry
    origin: Origin
    path: Path

    @property
    def here(self) -> bool:
        """Whether there is a file of that name; `check` tells whether it is the right one."""
        return self.path.is_file()


class Book:
    """The models by name; a user's own entry goes before one of Linli's of the same name.

    `broken` is what is wrong with the user's own catalogue, which then counts as empty.
    """

    def __init__(
        self, shipped: Catalog, own: Catalog, folder: Path, broken: InputError | None = None
    ) -> None:
        self.folder = folder
        self._broken = broken
        mine = {entry.name for entry in own.model}
        self._models = [
            *(_shipped(entry, folder) for entry in shipped.model if entry.name not in mine),
            *(Model(entry, "own", _place(folder, entry)) for entry in own.model),
        ]

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models)

    def find(self, name: str) -> Model:
        """Return the model of a name or alias.

        Raises InputError that names those there are, or what is wrong with the user's catalogue.
        """
        for model in self._own_first():
            if name == model.entry.name or name in model.entry.aliases:
                return model
        self.check_own()
        known = [model.entry.name for model in self._models]
        known += [alias for model in self._models for alias in model.entry.aliases]
        close = difflib.get_close_matches(name, known, n=1)
        raise InputError(
            f"no model of the catalogue is called {name!r}",
            where="models",
            hint=f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(known)}",
        )

    def of_content(self, sha256: str) -> Model | None:
        """Return the model whose file has this hash, None when none has."""
        return next((model for model in self._own_first() if model.entry.sha256 == sha256), None)

    def check_own(self) -> None:
        """Raise InputError when the user's own catalogue cannot be read."""
        if self._broken is not None:
            raise self._broken

    def _own_first(self) -> list[Model]:
        return sorted(self._models, key=lambda model: model.origin != "own")


def open_book(folder: Path | None = None) -> Book:
    """Read Linli's catalogue and the one in `folder`, the models folder when not given.

    What is wrong with the latter stops no model of Linli's: it is logged, and raised as InputError
    to whoever wants another model.
    """
    folder = folder or models_folder()
    shipped = load(resource("models", CATALOG), Catalog)
    try:
        return Book(shipped, _own(folder), folder)
    except InputError as error:
        log.warning("%s. Only the models that Linli knows are there until that is mended", error)
        return Book(shipped, Catalog(), folder, broken=error)


def _own(folder: Path) -> Catalog:
    """Read the user's own catalogue. Raises InputError that says which file, rule and value."""
    own = folder / CATALOG
    try:
        mine = load(own, Catalog) if own.exists() else Catalog()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(own)) from None
    for entry in mine.model:
        if entry.file is not None:
            raise InputError(
                f"model {entry.name!r} has the setting 'file', which is for Linli's own models",
                where=str(own),
                hint=f"Leave it out: its file is {_place(folder, entry).name} in the same folder",
            )
    return mine


def models_folder() -> Path:
    """Return where models are kept that Linli does not bring."""
    wanted = os.environ.get(FOLDER_VARIABLE)
    if wanted:
        return Path(wanted).resolve()
    data = os.environ.get("XDG_DATA_HOME")
    try:
        base = Path(data) if data else Path.home() / ".local" / "share"
    except RuntimeError:  # a service's user without a home
        base = Path("/var/lib")
    return base / "linli" / "models"


def find_file(wanted: str | Path, book: Book) -> tuple[Path, Entry | None]:
    """Return the file that a name or path means, and what the catalogue knows of it.

    A file given by its path is known by its content. Raises InputError when a name means no model,
    or one that is not on this machine.
    """
    if not is_id(str(wanted)):  # a path: it has a dot or a slash in it
        path = Path(wanted).expanduser()
        known = book.of_content(sha256_of(path)) if path.is_file() else None
        if known is None:
            book.check_own()  # it may know the file, and better thresholds for it
        return path, known.entry if known else None
    model = book.find(str(wanted))
    if not model.here:
        name = model.entry.name
        hint = {
            "built-in": "Install Linli again",
            "known": f"Fetch it: linli models pull {name}",
            "own": f"Add it again: linli models add FILE --name {name} --replace",
        }[model.origin]
        raise InputError(
            f"the file of model {name!r} is not on this machine", where=str(model.path), hint=hint
        )
    return model.path, model.entry


def _shipped(entry: Entry, folder: Path) -> Model:
    if entry.file is None:
        return Model(entry, "known", _place(folder, entry))
    return Model(entry, "built-in", resource("models", CATALOG).parent / entry.file)


def _place(folder: Path, entry: Entry) -> Path:
    return folder / f"{entry.name}.onnx"
