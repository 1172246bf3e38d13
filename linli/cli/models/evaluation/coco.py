"""COCO labels: one JSON document with images, annotations and categories."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Annotated

import msgspec

from linli.cli.models.evaluation.labelled import Labelled, LabelledSet, Truth
from linli.errors import InputError

_AT = re.compile(r" - at `([^`]+)`$")
_Pixels = Annotated[int, msgspec.Meta(ge=1)]
_Length = Annotated[float, msgspec.Meta(ge=0)]


class _Image(msgspec.Struct):
    id: int
    file_name: Annotated[str, msgspec.Meta(min_length=1)]
    width: _Pixels
    height: _Pixels


class _Annotation(msgspec.Struct):
    image_id: int
    category_id: int
    bbox: tuple[float, float, _Length, _Length]
    iscrowd: int = 0


class _Category(msgspec.Struct):
    id: int
    name: Annotated[str, msgspec.Meta(min_length=1)]


class _Document(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_coco(folder: Path, labels: Path) -> LabelledSet:
    """Read a COCO document whose pictures lie in `folder` or its images/. Raises InputError."""
    document = _read(labels)
    if not document.images:
        raise InputError("no images in it", where=str(labels))
    kinds = _once((category.id for category in document.categories), labels, "categories")
    numbers = _once((image.id for image in document.images), labels, "images")
    truths: list[list[Truth]] = [[] for _ in document.images]
    for number, made in enumerate(document.annotations):
        for value, known, key in (
            (made.image_id, numbers, "image_id"),
            (made.category_id, kinds, "category_id"),
        ):
            if value not in known:
                raise InputError(
                    f"{key} {value} is of none of those listed",
                    where=f"{labels}: $.annotations[{number}]",
                )
        image = document.images[numbers[made.image_id]]
        x, y, width, height = made.bbox
        box = (x / image.width, y / image.height, width / image.width, height / image.height)
        truths[numbers[made.image_id]].append(
            Truth(kinds[made.category_id], box, crowd=bool(made.iscrowd))
        )
    return LabelledSet(
        names=tuple(category.name for category in document.categories),
        named_by=labels.name,
        pictures=tuple(
            Labelled(
                _picture(folder, image.file_name, f"{labels}: $.images[{number}]"), tuple(found)
            )
            for number, (image, found) in enumerate(zip(document.images, truths, strict=True))
        ),
    )


def _read(labels: Path) -> _Document:
    try:
        return msgspec.json.decode(labels.read_bytes(), type=_Document)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(labels)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        at = _AT.search(str(error))
        raise InputError(
            f"not COCO labels: {_AT.sub('', str(error))}",
            where=f"{labels}: {at.group(1)}" if at else str(labels),
            hint="It needs images, annotations and categories",
        ) from None


def _once(ids: Iterable[int], labels: Path, key: str) -> dict[int, int]:
    index: dict[int, int] = {}
    for number, value in enumerate(ids):
        if value in index:
            raise InputError(f"id {value} is there twice", where=f"{labels}: $.{key}[{number}]")
        index[value] = number
    return index


def _picture(folder: Path, name: str, where: str) -> Path:
    if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
        raise InputError(
            f"file_name {name!r} leads out of {folder}",
            where=where,
            hint="Pictures lie in FOLDER or in its images/",
        )
    for path in (folder / name, folder / "images" / name):
        if path.is_file():
            return path
    raise InputError(
        f"file_name {name!r} is not there, neither in {folder} nor in its images/",
        where=where,
        hint="Pictures lie in FOLDER or in its images/",
    )
