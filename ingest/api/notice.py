"""What residents may know of what is watched; the one answer that needs no key."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import TheServices
from ingest.services.notice import NoticeView

router = APIRouter(tags=["notice"])


@router.get("/notice", responses=tells(NoticeView), openapi_extra={"security": []})
def notice(house: TheServices) -> Response:
    """Return purpose, retention and contact, for whoever asks."""
    return answer(house.notice.view())
