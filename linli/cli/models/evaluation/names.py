"""Which class of the labels is which class of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.detect.names import slug
from linli.errors import InputError


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All classes: those of the labels in their order, then those that only the model knows.

    `of_model` gives the index into `names` of each class of the model; None in `known` marks a
    class that the model has not, else there is what the model calls it.
    """

    names: tuple[str, ...]
    known: tuple[str | None, ...]
    of_model: tuple[int, ...]


def vocabulary(labels: Sequence[str], model: Sequence[str], named_by: str) -> Vocabulary:
    """Put both lists of names together. Raises InputError when two labels are one class."""
    index = match(labels, model, named_by)
    names = [*labels, *(name for name in model if name not in index)]
    of_model = tuple(
        index[name] if name in index else names.index(name, len(labels)) for name in model
    )
    known: list[str | None] = [None] * len(names)
    for name, place in zip(model, of_model, strict=True):
        known[place] = name
    return Vocabulary(tuple(names), tuple(known), of_model)


def match(names: Sequence[str], known: Sequence[str], named_by: str) -> dict[str, int]:
    """Return {class of the model: index into the labels' `names`}, for those that both have.

    A name is the model's class as it stands, or as an id ("cell phone" is "cell-phone"), with
    hyphens or without ("E-Bike" is "ebike"). Raises InputError when two names are one class.
    """
    index: dict[str, int] = {}
    for number, name in enumerate(names):
        key = name if name in known else _known_as(_id_of(name), known)
        if key in index:
            raise InputError(
                f"{names[index[key]]!r} and {name!r} are both the model's class {key!r}",
                where=named_by,
                hint="Give one of them another name",
            )
        if key in known:
            index[key] = number
    return index


def _known_as(label: str, known: Sequence[str]) -> str:
    bare = label.replace("-", "")
    return (
        label if label in known else next((k for k in known if k.replace("-", "") == bare), label)
    )


def _id_of(name: str) -> str:
    try:
        return slug(name)
    except ValueError:  # nothing of it is ASCII, as with 电动车
        return name
