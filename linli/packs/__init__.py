"""The scenarios that Linli brings: settings with their reasons, taken by name in `pack = "…"`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from linli.errors import InputError
from linli.settings import Settings, load

_FOLDER = Path(__file__).parent


class Words(Settings, frozen=True, kw_only=True):
    """The same in both languages."""

    zh: str
    en: str


class Pack(Settings, frozen=True, kw_only=True):
    """One scenario: what it is called, what it means, and its settings but for the zone."""

    title: Words
    means: Words
    scenario: dict[str, Any]


@lru_cache(maxsize=1)
def packs() -> Mapping[str, Pack]:
    """Return all there are by name, in the order of their names."""
    return {path.stem: load(path, Pack) for path in sorted(_FOLDER.glob("*.toml"))}


def written(name: str) -> str:
    """Return the text of a pack of `packs()`, with the reasons for its numbers."""
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def completed(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a configuration whose scenarios hold what their packs say and they do not.

    What is not shaped as a configuration is left for its own check. Raises InputError for a pack
    that there is not.
    """
    result = dict(document)
    if isinstance(cameras := document.get("camera"), list):
        result["camera"] = [_camera(camera, where) for camera in cameras]
    return result


def _camera(camera: object, where: str) -> object:
    if not isinstance(camera, Mapping) or not isinstance(rules := camera.get("scenario"), list):
        return camera
    place = f"{where}: camera {camera.get('id')}"
    return {**camera, "scenario": [_scenario(rule, place) for rule in rules]}


def _scenario(rule: object, where: str) -> object:
    if not isinstance(rule, Mapping) or not isinstance(name := rule.get("pack"), str):
        return rule
    if name not in packs():
        raise InputError(
            f"there is no pack {name!r}", where=where, hint=f"There is: {', '.join(packs())}"
        )
    return {**msgspec.to_builtins(packs()[name].scenario), **rule}
