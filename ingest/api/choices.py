"""What a person may choose from: options of a list, as Grafana's variables and forms need it."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from ingest.api.answers import rows_of
from ingest.api.chosen import InWords, Some, some
from ingest.api.visitor import TheServices, TheViewer
from ingest.services.called import Choice, Choices

router = APIRouter(prefix="/choices", tags=["registry"])


@router.get("/{what}", responses=rows_of(Choice))
def choices(
    *,
    what: Choices,
    house: TheServices,
    viewer: TheViewer,
    area: Some = None,
    lang: InWords = "zh",
) -> Response:
    """List the communities, the areas where nodes stand, or the devices in use, by their names.

    Of devices only those of these areas. A flat array; `value` is what other requests take.
    """
    found = house.history.called(viewer).choices(what, lang, some(area))
    return Response(msgspec.json.encode(found), media_type="application/json")
