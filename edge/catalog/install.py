"""Files of models into the models folder: whole, right, and under their names, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge.catalog.book import CATALOG, Book, Model
from edge.catalog.check import check_content, check_file
from edge.catalog.digest import sha256_of
from edge.catalog.edit import put_entry, remove_entry
from edge.catalog.entry import Entry
from edge.catalog.fetch import MOST, Part, Pause, Progress, fetch, open_client
from linli.errors import InputError, LinliError, StoreError
from linli.settings import make_folder

MODEL_SUFFIX = ".onnx"


def pull(
    book: Book,
    name: str,
    *,
    progress: Progress,
    pause: Pause,
    place: str | None = None,
    sha256: str | None = None,
) -> Path:
    """Bring the file of a known model into the models folder and return where it is.

    `place` is a folder, a file, or an address of one of these; the catalogue's address when not
    given. `sha256` is what the user trusts instead of the catalogue: the entry then becomes the
    user's own. Raises InputError, LinkError or StoreError; a file that is not right is not kept.
    """
    model = book.find(name)
    entry = _wanted(model, sha256)
    if model.entry.sha256 == entry.sha256 and _is_of(entry, model.path):
        return model.path
    if entry != model.entry:
        book.check_own()
    source = _source(entry, place)
    with _changing(book.folder):
        part = _part(book.folder, entry)
        again = part.size > 0
        _bring(source, part, entry, progress=progress, pause=pause)
        if again and sha256_of(part.path) != entry.sha256:
            part.remove()  # what had come earlier belonged to another file
            _bring(source, part, entry, progress=progress, pause=pause)
        if entry.size is None:
            entry = msgspec.structs.replace(entry, size=part.size)
        try:
            check_file(entry, part.path, where=str(source))
        except LinliError:
            part.remove()
            raise
        if entry != model.entry:
            put_entry(book.folder / CATALOG, entry)
        _name(part.path, model.path)
    return model.path


def add(book: Book, file: Path, entry: Entry, *, replace: bool) -> Path:
    """Copy a user's model into the models folder and enter it. Raises InputError, StoreError."""
    book.check_own()
    path = book.folder / f"{entry.name}{MODEL_SUFFIX}"
    known = {name for model in book for name in (model.entry.name, *model.entry.aliases)}
    if entry.name in known and not replace:
        raise InputError(
            f"there is already a model called {entry.name!r}",
            where="--name",
            hint="Choose another name, or pass --replace to put yours in its place",
        )
    with _changing(book.folder):
        part = _part(book.folder, entry)
        _copy(file, part)
        try:
            check_file(entry, part.path, where=str(file))
        except LinliError:
            part.remove()
            raise
        put_entry(book.folder / CATALOG, entry)
        _name(part.path, path)
    return path


def remove(book: Book, name: str) -> None:
    """Remove the file of a model, and its entry when that is the user's own. Raises InputError."""
    model = book.find(name)
    if model.origin == "built-in":
        raise InputError("comes with Linli and stays", where=f"model {model.entry.name}")
    if model.origin == "known" and not model.here:
        raise InputError(
            "is not on this machine", where=f"model {model.entry.name}", hint="Nothing to remove"
        )
    with _changing(book.folder):
        if model.origin == "own":
            remove_entry(book.folder / CATALOG, model.entry.name)
        with _disk():
            model.path.unlink(missing_ok=True)


def _wanted(model: Model, sha256: str | None) -> Entry:
    entry = model.entry
    if model.origin == "built-in":
        raise InputError(
            "comes with Linli", where=f"model {entry.name}", hint="There is nothing to fetch"
        )
    if sha256 is None and entry.sha256 is None:
        raise InputError(
            "the catalogue has no hash of its file, which could tell it from a wrong one",
            where=f"model {entry.name}",
            hint="Pass the hash you trust: --sha256 HASH; docs/models.md has what others trust",
        )
    if sha256 in {None, entry.sha256}:
        return entry
    # The measurements in the catalogue are of other bytes.
    return msgspec.structs.replace(
        entry, sha256=sha256, size=None, quality=(), speed=(), aliases=()
    )


def _source(entry: Entry, place: str | None) -> str | Path:
    """Return an address or an existing file to take the model from."""
    if place is None:
        if entry.url is None:
            raise InputError(
                "the catalogue has no address of its file",
                where=f"model {entry.name}",
                hint="Say where it is: --from FOLDER or --from ADDRESS",
            )
        return entry.url
    file_name = entry.url.rpartition("/")[2] if entry.url else f"{entry.name}{MODEL_SUFFIX}"
    if place.startswith(("http://", "https://")):
        return place if place.endswith(MODEL_SUFFIX) else f"{place.rstrip('/')}/{file_name}"
    path = Path(place).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(
            "no such folder or file", where=place, hint="An address begins with https://"
        )
    return _in_folder(path, entry, file_name)


def _in_folder(folder: Path, entry: Entry, file_name: str) -> Path:
    """Return the file with the right content, whatever its name; else the one with the name."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() == MODEL_SUFFIX)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(folder)) from None
    for file in files:
        if _is_of(entry, file):
            return file
    for file in files:
        if _plain(file.name) in {_plain(file_name), f"{entry.name}{MODEL_SUFFIX}"}:
            return file
    raise InputError(
        f"none of the {len(files)} models in it is {entry.name!r}",
        where=str(folder),
        hint=f"Its sha256 is {entry.sha256}",
    )


def _is_of(entry: Entry, file: Path) -> bool:
    """Whether a file has the content of the entry; one that cannot be read has not."""
    try:
        right_size = entry.size in {None, file.stat().st_size}
        return right_size and sha256_of(file) == entry.sha256
    except (OSError, InputError):
        return False


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _bring(
    source: str | Path,
    part: Part,
    entry: Entry,
    *,
    progress: Progress,
    pause: Pause,
) -> None:
    if isinstance(source, Path):
        check_content(entry, source)
        _copy(source, part)
    else:
        with open_client() as client:
            fetch(source, part, client=client, size=entry.size, progress=progress, pause=pause)


def _copy(source: Path, part: Part) -> None:
    try:
        file = source.open("rb")
        size = source.stat().st_size
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(source)) from None
    with file:
        if size > MOST:
            raise InputError(f"{size:,} bytes are more than a model has", where=str(source))
        with _disk(), part.path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _part(folder: Path, entry: Entry) -> Part:
    return Part(folder / f".{entry.name}-{(entry.sha256 or '')[:16]}.part")


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Make the models folder, and keep other commands from changing it meanwhile."""
    make_folder(folder, mode=0o755)
    with _disk():
        lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "another command is changing this folder right now",
                where=str(folder),
                hint="Wait until it has ended",
            ) from None
        yield


def _name(part: Path, path: Path) -> None:
    """Give a file its name, for good even when the power fails now."""
    with _disk():
        part.replace(path)
        Part(part).mark_path.unlink(missing_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the disk refuses ({error.strerror})", where=str(error.filename or "models folder")
        ) from None
