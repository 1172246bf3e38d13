"""What one camera looks for, as a part of its edge's document that may be edited by itself.

Addresses and passwords of cameras are no part of it, so that who arranges what is watched
cannot point a box elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest.refusal import NotThere, RulesBroken
from ingest.registry.configs import RunningConfig, Why

PARTS = ("mask", "zone", "line", "scenario", "state")
Item = dict[str, Any]
Items = Annotated[list[Item], Meta(max_length=32)]


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a camera in a document, as they were given; see `EdgeConfig`."""

    mask: tuple[Item, ...] = ()
    zone: tuple[Item, ...] = ()
    line: tuple[Item, ...] = ()
    scenario: tuple[Item, ...] = ()
    state: tuple[Item, ...] = ()


class WatchedDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parts of a camera that are to be otherwise, and why; what is not given stays."""

    why: Why
    mask: Items | None = None
    zone: Items | None = None
    line: Items | None = None
    scenario: Items | None = None
    state: Items | None = None


class WatchedState(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a camera, in which version of its edge's document, beside what runs."""

    edge: str
    camera: str
    label: str
    fps: float
    version: int
    watched: Watched
    running: RunningConfig | None


def camera_in(document: Mapping[str, Any] | None, camera: str) -> Item:
    """Return a camera of a document. Raises NotThere."""
    for one in (document or {}).get("camera", ()):
        if one.get("id") == camera:
            return dict(one)
    raise NotThere("no document of an edge has this camera")


def watched(camera: Mapping[str, Any]) -> Watched:
    """Return the parts of a camera that may be edited by themselves."""
    return Watched(**{part: tuple(camera.get(part, ())) for part in PARTS})


def rewatched(document: Mapping[str, Any], camera: str, draft: WatchedDraft) -> Item:
    """Return the document with other parts of a camera. Raises NotThere, RulesBroken."""
    old = camera_in(document, camera)
    given = {part: getattr(draft, part) for part in PARTS if getattr(draft, part) is not None}
    new = {**old, **given}
    for part in PARTS:
        if part in given and not given[part]:
            del new[part]
    faults = (*_missing_zones(new), *_new_files(old, new))
    if faults:
        raise RulesBroken("nothing was changed", faults)
    cameras = [new if one.get("id") == camera else one for one in document["camera"]]
    return {**document, "camera": cameras}


def users(camera: Watched, zone: str) -> tuple[str, ...]:
    """Return the events that a zone is used for."""
    return tuple(event_of(rule) for rule in camera.scenario if rule.get("zone") == zone)


def event_of(rule: Mapping[str, Any]) -> str:
    """Return what a scenario is called: its event, or else the pack it takes that from."""
    return str(rule.get("event") or rule.get("pack") or "")


def _new_files(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name files that the box was not told to read before: whole documents name files."""
    known = {state.get("file") for state in old.get("state", ())}
    for number, state in enumerate(new.get("state", ())):
        if state.get("file") not in known | {None}:
            yield f"state[{number}].file", "only taught can be given here, not another file"


def _missing_zones(camera: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    there = {zone.get("id") for zone in camera.get("zone", ())}
    for number, rule in enumerate(camera.get("scenario", ())):
        zone = rule.get("zone")
        if isinstance(zone, str) and zone not in there:
            yield f"scenario[{number}].zone", f"{event_of(rule)} watches zone {zone!r}"
