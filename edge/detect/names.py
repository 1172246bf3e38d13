"""Class names: read from a model's metadata, or COCO's when it has as many classes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping

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


def class_names(metadata: Mapping[str, str], count: int) -> tuple[str, ...] | None:
    """Return the `count` class names of a model, as ids; None when nothing says them.

    Metadata key `names` or `classes`: a list or a {number: name} mapping in JSON or Python form, or
    names parted by commas. Raises ValueError when that does not give `count` different names.
    """
    text = metadata.get("names") or metadata.get("classes")
    if text is None:
        return tuple(slug(name) for name in COCO) if count == len(COCO) else None
    names = tuple(slug(name) for name in _parse(text))
    if len(set(names)) != count or len(names) != count:
        raise ValueError(f"metadata names {len(set(names))} classes, the output has {count}")
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
