"""What edge boxes are to watch: administrators write versions, each box takes its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.feed import Feed
from ingest.refusal import NotThere, RulesBroken
from ingest.registry import book, configs
from ingest.registry.config_changes import ConfigChange, changes
from ingest.registry.configs import ConfigDraft, ConfigRestore, ConfigState, ConfigVersion
from ingest.registry.watched import (
    WatchedDraft,
    WatchedState,
    camera_in,
    rewatched,
    watched,
)
from ingest.services.page import Page, number
from ingest.services.registry import Seen
from ingest.store.engine import reading, writing
from linli.errors import InputError

MOST = 200
_LOOKED_BACK = 12  # versions, of up to half a megabyte each
T = TypeVar("T", bound=msgspec.Struct)


class ConfigService:
    """Keeps every version of every box's configuration document."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, feed: Feed) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed

    def state(self, viewer: Viewer, edge: str) -> ConfigState:
        """Return the wanted version beside the one that runs. Raises NotAllowed, NotThere."""
        viewer.require("arrange")
        with reading(self._reader) as connection:
            _registered(connection, edge)
            return ConfigState(
                edge=edge,
                wanted=configs.latest(connection, edge),
                running=configs.running(connection, edge),
            )

    def versions(
        self, viewer: Viewer, edge: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page[ConfigVersion]:
        """Return who wanted what and why, newest first. Raises NotAllowed, NotThere, NotUsable."""
        viewer.require("arrange")
        limit = max(1, min(limit, MOST))
        before = number(cursor) if cursor else None
        with reading(self._reader) as connection:
            _registered(connection, edge)
            found = configs.versions(connection, edge, before=before, limit=limit + 1)
        items = tuple(found[:limit])
        return Page(items, str(items[-1].version) if len(found) > limit else None)

    def version(self, viewer: Viewer, edge: str, version: int) -> ConfigVersion:
        """Return one version with its document. Raises NotAllowed, NotThere."""
        viewer.require("arrange")
        with reading(self._reader) as connection:
            return _found(configs.one(connection, edge, version))

    def changes(self, viewer: Viewer, edge: str, version: int) -> tuple[ConfigChange, ...]:
        """Return what a version changed against the one before. Raises NotAllowed, NotThere."""
        viewer.require("arrange")
        with reading(self._reader) as connection:
            made = _found(configs.one(connection, edge, version))
            before = configs.one(connection, edge, version - 1)
        return changes(before.document if before else None, made.document)

    def watched(self, viewer: Viewer, edge: str, camera: str) -> WatchedState:
        """Return what one camera is wanted to look for. Raises NotAllowed, NotThere."""
        viewer.require("arrange")
        with reading(self._reader) as connection:
            _registered(connection, edge)
            wanted = _found(configs.latest(connection, edge))
            running = configs.running(connection, edge)
        found = camera_in(wanted.document, camera)
        return WatchedState(
            edge=edge,
            camera=camera,
            label=str(found.get("label", camera)),
            fps=float(found.get("fps", 5.0)),
            version=wanted.version,
            watched=watched(found),
            running=running,
        )

    def taught_before(self, viewer: Viewer, edge: str, camera: str) -> dict[str, dict[str, Any]]:
        """Return for each taught place what was taught before that of now, in the last versions.

        Raises NotAllowed, NotThere.
        """
        now = {str(one.get("id")): one for one in self.watched(viewer, edge, camera).watched.state}
        found: dict[str, dict[str, Any]] = {}
        if not now:
            return found
        with reading(self._reader) as connection:
            older = configs.versions(connection, edge, before=None, limit=_LOOKED_BACK)[1:]
            for one in older:
                made = configs.one(connection, edge, one.version)
                for name, taught in _taught(made.document if made else None, camera):
                    if name in now and taught != now[name].get("taught"):
                        found.setdefault(name, taught)
                if found.keys() == now.keys():
                    break
        return found

    def put_watched(
        self,
        viewer: Viewer,
        edge: str,
        camera: str,
        given: dict[str, Any],
        *,
        seen: Seen,
        now: datetime,
    ) -> WatchedState:
        """Make a new version in which parts of one camera differ; `given` is a WatchedDraft.

        Raises NotAllowed, NotThere, Outdated, NotLookedAt, and RulesBroken that names each place
        from the camera on, such as `zone[0].points`.
        """
        viewer.require("arrange")
        draft = _read(given, WatchedDraft)
        with reading(self._reader) as connection:
            _registered(connection, edge)
            wanted = _found(configs.latest(connection, edge))
        # What was seen is compared before its content is judged: who is late is told so first.
        seen.check(str(wanted.version))
        made = rewatched(wanted.document or {}, camera, draft)
        try:
            checked = _checked(made)
        except RulesBroken as error:
            raise RulesBroken(error.what, tuple(map(_from_camera, error.faults))) from None
        own = Seen(frozenset({str(wanted.version)}))
        self._add(viewer, edge, checked, draft.why, seen=own, now=now)
        return self.watched(viewer, edge, camera)

    def put(
        self, viewer: Viewer, edge: str, given: dict[str, Any], *, seen: Seen, now: datetime
    ) -> ConfigVersion:
        """Make a document the wanted one; `given` is a ConfigDraft as plain data.

        Raises NotAllowed, NotThere, Outdated, NotLookedAt, RulesBroken.
        """
        viewer.require("administer")
        draft = _read(given, ConfigDraft)
        return self._add(viewer, edge, _checked(draft.document), draft.why, seen=seen, now=now)

    def restore(
        self, viewer: Viewer, edge: str, given: dict[str, Any], *, seen: Seen, now: datetime
    ) -> ConfigVersion:
        """Make a new version with the content of an old one; `given` is a ConfigRestore.

        Raises NotAllowed, NotThere, Outdated, NotLookedAt, and RulesBroken when it would no longer
        be accepted.
        """
        viewer.require("arrange")
        wish = _read(given, ConfigRestore)
        old = self.version(viewer, edge, wish.version)
        return self._add(
            viewer,
            edge,
            _checked(old.document or {}),
            wish.why,
            seen=seen,
            now=now,
            restores=old.version,
        )

    def wanted(self, edge: str) -> ConfigVersion:
        """Return what a box is to run, for itself: it has shown its key. Raises NotThere."""
        with reading(self._reader) as connection:
            return _found(configs.latest(connection, edge))

    def _add(
        self,
        viewer: Viewer,
        edge: str,
        document: dict[str, Any],
        why: str,
        *,
        seen: Seen,
        now: datetime,
        restores: int | None = None,
    ) -> ConfigVersion:
        with writing(self._writer) as connection:
            _registered(connection, edge)
            before = configs.latest(connection, edge)
            seen.check(str(before.version) if before is not None else None)
            made = configs.add(
                connection,
                edge,
                document,
                actor=viewer.actor,
                why=why,
                now=now,
                restores=restores,
            )
            if before is None or made.version != before.version:
                said = {"version": made.version}
                audit.note(connection, now, viewer.actor, "config-changed", edge, **said)
        self._feed.tell("devices")
        return made


def _taught(document: dict[str, Any] | None, camera: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        states = watched(camera_in(document, camera)).state
    except NotThere:
        return
    for one in states:
        if isinstance(one.get("taught"), dict):
            yield str(one.get("id")), one["taught"]


def _from_camera(fault: tuple[str, str]) -> tuple[str, str]:
    where, what = fault
    return re.sub(r"^document: camera\[\d+\]\.?", "", where), what


def _registered(connection: sa.Connection, edge: str) -> None:
    found = book.one(connection, "edge", edge)
    if found is None or found.retired:
        raise NotThere("no such edge")


def _found(version: ConfigVersion | None) -> ConfigVersion:
    if version is None:
        raise NotThere("no such version")
    return version


def _read(given: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise RulesBroken("nothing was changed", (("body", str(error)),)) from None


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    try:
        return configs.checked(document)
    except InputError as error:
        what = f"{error.what}. {error.hint}" if error.hint else error.what
        raise RulesBroken("an edge could not use it", ((error.where, what),)) from None
