"""The key that edge boxes seal pictures with."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import TheNode, TheServices
from ingest.services.views import SealKey
from linli.seal import id_of

router = APIRouter(tags=["evidence"])


@router.get(
    "/evidence-key",
    responses=tells(SealKey, 401, 422, 503),
    openapi_extra={"security": [{"token": []}]},
)
def seal_key(caller: TheNode, house: TheServices) -> Response:
    """Take the key to seal pictures with, as a node; ask again now and then, it may change."""
    del caller
    public = house.evidence.key()
    return answer(SealKey(id=id_of(public), key=base64.b64encode(public).decode()))
