"""Configuration documents of edge boxes: versions for administrators, the newest for the box."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from ingest.api.answers import REFERENCE, answer, tells
from ingest.api.conditions import etag, tags
from ingest.api.registry import TheWish, body_of
from ingest.api.registry_lists import ConfigChangeList, ConfigVersionList
from ingest.api.visitor import Now, TheNode, TheServices, TheViewer
from ingest.registry.configs import ConfigState, ConfigVersion
from ingest.registry.watched import WatchedState

router = APIRouter(tags=["edge configuration"])

_OF_EDGE = "/registry/edges/{edge}/config"
_OF_CAMERA = f"{_OF_EDGE}/cameras/{{camera}}"
Version = Annotated[int, Path(ge=1, lt=2**53)]


@router.get(_OF_EDGE, responses=tells(ConfigState, 401, 403, 404, 503))
def config_state(edge: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show which version is wanted of a box, and which one it says that it runs."""
    found = house.configs.state(viewer, edge)
    return answer(found, headers=etag(str(found.wanted.version)) if found.wanted else None)


@router.put(
    _OF_EDGE,
    responses=tells(ConfigVersion, 401, 403, 404, 412, 422, 428, 503),
    openapi_extra=body_of({"$ref": REFERENCE.format(name="ConfigDraft")}),
)
def put_config(
    edge: str, wish: TheWish, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Want another document (an `EdgeConfig`) of a box, and say why; every version is kept.

    The same document again makes no new version. Passwords of cameras stay in files on the box.
    """
    made = house.configs.put(viewer, edge, wish.values, seen=wish.seen, now=now)
    return answer(made, headers=etag(str(made.version)))


@router.post(
    f"{_OF_EDGE}/restore",
    responses=tells(ConfigVersion, 401, 403, 404, 412, 422, 428, 503),
    openapi_extra=body_of({"$ref": REFERENCE.format(name="ConfigRestore")}),
)
def restore_config(
    edge: str, wish: TheWish, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Roll back: make a new version with the content of an old one, and say why."""
    made = house.configs.restore(viewer, edge, wish.values, seen=wish.seen, now=now)
    return answer(made, headers=etag(str(made.version)))


@router.get(
    f"{_OF_EDGE}/versions", responses=tells(ConfigVersionList, 400, 401, 403, 404, 422, 503)
)
def config_versions(
    *,
    edge: str,
    house: TheServices,
    viewer: TheViewer,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List who wanted what of a box, when and why, newest first."""
    page = house.configs.versions(viewer, edge, cursor=cursor, limit=limit)
    return answer(ConfigVersionList(items=page.items, next=page.next))


@router.get(
    f"{_OF_EDGE}/versions/{{version}}", responses=tells(ConfigVersion, 401, 403, 404, 422, 503)
)
def config_version(edge: str, version: Version, house: TheServices, viewer: TheViewer) -> Response:
    """Show one version with its document."""
    return answer(house.configs.version(viewer, edge, version))


@router.get(
    f"{_OF_EDGE}/versions/{{version}}/changes",
    responses=tells(ConfigChangeList, 401, 403, 404, 422, 503),
)
def config_changes(edge: str, version: Version, house: TheServices, viewer: TheViewer) -> Response:
    """List what a version changed against the one before it."""
    return answer(ConfigChangeList(items=house.configs.changes(viewer, edge, version)))


@router.get(_OF_CAMERA, responses=tells(WatchedState, 401, 403, 404, 503))
def watched(edge: str, camera: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show the zones, lines, masks and scenarios that are wanted of one camera."""
    found = house.configs.watched(viewer, edge, camera)
    return answer(found, headers=etag(str(found.version)))


@router.put(
    _OF_CAMERA,
    responses=tells(WatchedState, 401, 403, 404, 412, 422, 428, 503),
    openapi_extra=body_of({"$ref": REFERENCE.format(name="WatchedDraft")}),
)
def put_watched(
    *, edge: str, camera: str, wish: TheWish, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Want other zones, lines, masks or scenarios of one camera: a new version of the document."""
    made = house.configs.put_watched(viewer, edge, camera, wish.values, seen=wish.seen, now=now)
    return answer(made, headers=etag(str(made.version)))


@router.get(
    "/edge-config",
    responses={
        304: {"description": "It is the version that If-None-Match names"},
        **tells(ConfigVersion, 401, 404, 422, 503),
    },
    openapi_extra={"security": [{"token": []}]},
)
def wanted_config(
    caller: TheNode,
    house: TheServices,
    if_none_match: Annotated[str | None, Header(max_length=256)] = None,
) -> Response:
    """Take the document that is wanted of this box, as a node, with its key as bearer token."""
    found = house.configs.wanted(caller.node)
    header = etag(str(found.version))
    if str(found.version) in tags(if_none_match):
        return Response(status_code=304, headers=header)
    return answer(found, headers=header)
