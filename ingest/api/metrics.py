"""`/metrics` for Prometheus: by token, or on the machine itself where a setting allows that."""

from __future__ import annotations

import ipaddress

from fastapi import APIRouter, Request, Response

from ingest.api.answers import fails
from ingest.api.visitor import Now, TheServices, viewer
from ingest.services.metrics import MEDIA_TYPE

router = APIRouter(tags=["health"])
_SPOKEN_FOR = ("forwarded", "x-forwarded-for", "x-real-ip")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **fails(401, 403, 503),
    },
)
def metrics(request: Request, house: TheServices, at: Now) -> Response:
    """Show figures of receiver, consumers, incidents, evidence and probes.

    With an API token of the scope `see`; without one only from the machine itself, and only when
    `http.metrics` is `loopback`.
    """
    if not (request.app.state.metrics == "loopback" and _is_local(request)):
        viewer(request, house, at).require("see")
    return Response(house.metrics.text(), media_type=MEDIA_TYPE)


def _is_local(request: Request) -> bool:
    """Tell whether the caller is on this machine; whom a proxy speaks for is not known."""
    if request.client is None or any(name in request.headers for name in _SPOKEN_FOR):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
