"""Class names: read from a model's metadata, or COCO's when it has as many classes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping

from linli.counted import counted
from linli.topics import is_id

COCO: tuple[str, ...] = tuple(
    """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,
stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,
umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,
skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,
sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,
toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,
clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n", "").split(",")
)


def slug(name: str) -> str:
    """Return a name as an id: "cell phone" → "cell-phone". Raises ValueError when none remains."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower())[:32].strip("-")
    if not is_id(text):
        raise ValueError(f"no id can be made of the name {name!r}")
    return text


def class_names(
    metadata: Mapping[str, str], count: int, known: tuple[str, ...] | None = None
) -> tuple[str, ...] | None:
    """Return the `count` class names of a model, as ids; None when nothing says them.

    Metadata key `names` or `classes`: a list or a {number: name} mapping in JSON or Python form, or
    names parted by commas. What is `known` of it beside the file must not say otherwise. Raises
    ValueError when there are not `count` different names, or others than those known.
    """
    names = _in_file(metadata, count)
    if known is None:
        return names or (tuple(slug(name) for name in COCO) if count == len(COCO) else None)
    if len(known) != count:
        raise ValueError(f"{len(known)} classes are known of the model, its output has {count}")
    if names not in {None, known}:
        raise ValueError(
            f"its metadata names the classes {', '.join(names or ())}, not {', '.join(known)}"
        )
    return known


def _in_file(metadata: Mapping[str, str], count: int) -> tuple[str, ...] | None:
    text = metadata.get("names") or metadata.get("classes")
    if text is None:
        return None
    names = tuple(slug(name) for name in _parse(text))
    if len(set(names)) != count or len(names) != count:
        raise ValueError(
            f"metadata names {counted(len(set(names)), 'class', 'classes')}, the output has {count}"
        )
    return names


def _parse(text: str) -> list[str]:
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError):
            continue
        if isinstance(value, dict):
            return [str(value[key]) for key in sorted(value, key=int)]
        if isinstance(value, (list, tuple)):
            return [str(item) for item in value]
    return [part.strip() for part in text.split(",")]
