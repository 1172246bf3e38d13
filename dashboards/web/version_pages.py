"""Every version of what an edge box is to do: who wanted it and why, what changed, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from dashboards.web.edge_version import outcome, standing
from dashboards.web.fault_words import of_config
from dashboards.web.language import msg
from dashboards.web.moments import Moment
from dashboards.web.version_words import change_words
from dashboards.web.visit import Acting, SignedIn, Visit
from dashboards.web.words import Words
from ingest.refusal import Outdated, RulesBroken
from ingest.registry.config_changes import ConfigChange
from ingest.registry.configs import ConfigVersion
from ingest.services.registry import Seen

router = APIRouter()
_SHOWN, _CHANGES = 20, 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One version in words; `more` changes are not listed."""

    version: int
    at: Moment
    who: str
    why: str
    restores: int | None
    changes: tuple[tuple[str, str], ...]
    more: int


@router.get("/edges/{node}/versions")
def versions(visit: SignedIn, node: str, cursor: str | None = None, saved: int = 0) -> Response:
    """Show who wanted what of a box, newest first."""
    return _page(visit, node, cursor, saved=saved)


@router.post("/edges/{node}/versions/restore")
def restore(
    visit: Acting,
    node: str,
    version: Annotated[int, Form()] = 0,
    seen: Annotated[str, Form(max_length=20)] = "",
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Want an old version again; it becomes a new one."""
    configs, now = visit.house.services.configs, visit.house.clock.now()
    said = visit.frame.say(msg("Back to version %(number)s")) % {"number": version}
    wish = {"version": version, "why": why.strip() or said}
    try:
        made = configs.restore(visit.viewer, node, wish, seen=Seen(frozenset({seen})), now=now)
    except Outdated:
        return _page(visit, node, None, late=True)
    except RulesBroken as error:
        return _page(visit, node, None, faults=error.faults)
    return visit.go(f"/edges/{node}/versions?saved={outcome(seen, made.version)}")


def _page(
    visit: Visit,
    node: str,
    cursor: str | None,
    *,
    saved: int = 0,
    late: bool = False,
    faults: tuple[tuple[str, str], ...] = (),
) -> Response:
    configs, viewer = visit.house.services.configs, visit.viewer
    words = Words(visit.language, {})
    state = configs.state(viewer, node)
    page = configs.versions(viewer, node, cursor=cursor, limit=_SHOWN)
    wanted = state.wanted
    document = (wanted.document if wanted else None) or {}
    cameras = {str(one.get("id")): str(one.get("label")) for one in document.get("camera", ())}
    found = {one.version: configs.changes(viewer, node, one.version) for one in page.items}
    return visit.page(
        "versions.html",
        status=412 if late else 422 if faults else 200,
        node=node,
        wanted=wanted,
        entries=[_entry(visit, one, found[one.version], cameras) for one in page.items],
        next=page.next,
        standing=standing(wanted.version, state.running, visit.calendar, words) if wanted else None,
        saved=saved,
        late=late,
        faults=[(of_config(what, words), where, what) for where, what in faults],
    )


def _entry(
    visit: Visit,
    version: ConfigVersion,
    changes: tuple[ConfigChange, ...],
    cameras: Mapping[str, str],
) -> Entry:
    words = Words(visit.language, {})
    said = tuple(change_words(one, cameras, words) for one in changes[:_CHANGES])
    return Entry(
        version=version.version,
        at=visit.calendar.moment(version.at),
        who=words.actor(version.actor),
        why=version.why,
        restores=version.restores,
        changes=said,
        more=max(0, len(changes) - _CHANGES),
    )
