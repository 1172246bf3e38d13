"""All routes of the API, and the OpenAPI document that describes them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.routing import Match, Mount, Route
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ingest.api import (
    access,
    cards,
    chain,
    channels,
    choices,
    commands,
    configs,
    counts,
    devices,
    drills,
    duty,
    evidence,
    evidence_key,
    exports,
    floors,
    foresight,
    grafana,
    history,
    idempotency,
    incidents,
    influx,
    joining,
    journal,
    links,
    live,
    metrics,
    nodes,
    notes,
    notice,
    notify,
    orders,
    problems,
    registry,
    repairs,
    rules,
    series,
    sessions,
    silences,
    statistics,
    stream,
    trials,
    waste,
)
from ingest.api.answers import REFERENCE, SHOWN, Health, answer, fails, tells
from ingest.api.middleware import BodyLimit, Prefix, SecurityHeaders

PREFIX = "/api/v1"
VERSION = "1.0"
_ABOUT = """\
What an ingest of Linli knows and does. Sign in with `POST /api/v1/login` (a session cookie; changes
then need the header `X-CSRF-Token`), or send an API token as `Authorization: Bearer …`.

A `POST` may carry `Idempotency-Key`: the same request with the same key, by the same account and
within 24 h, is not done again but answered as before (`Idempotency-Replayed: true`). Another one
with that key is refused (422), so is one that is still being done (409). Signing in and out, trying
rules or channels, asking for a picture's address and what tells a secret once do not take a key.

Every error is `application/problem+json` (RFC 9457). Times are RFC 3339 in UTC. Lists are read with
the cursor in `next`. `GET` never changes anything; looking at a picture is written down, though.
"""

api = APIRouter(prefix=PREFIX)
for _part in (
    sessions,
    access,
    incidents,
    orders,
    duty,
    foresight,
    statistics,
    counts,
    history,
    choices,
    notes,
    notice,
    notify,
    channels,
    links,
    silences,
    drills,
    devices,
    nodes,
    commands,
    live,
    registry,
    floors,
    configs,
    evidence,
    evidence_key,
    exports,
    joining,
    series,
    journal,
    chain,
    influx,
    repairs,
    rules,
    trials,
    waste,
    stream,
):
    api.include_router(_part.router)

outside = APIRouter(tags=["health"])


@outside.get("/healthz", responses=tells(Health, 503), openapi_extra={"security": []})
def healthz(request: Request) -> Response:
    """Tell whether the service works and its files answer; for supervisors, without signing in."""
    request.app.state.check_health()
    return answer(Health(status="ok"))


def install(app: FastAPI, prefix: str, proxies: Sequence[str] = ()) -> None:
    """Add the routes, the errors and the headers to an application served below `prefix`.

    Of `proxies` it is believed whom they speak for, and whether that one came by https.
    """
    app.include_router(api)
    app.include_router(outside)
    app.include_router(grafana.router)
    app.include_router(cards.router)
    app.include_router(metrics.router)
    app.router.routes.append(Route("/api/{rest:path}", NoSuchRoute(app), include_in_schema=False))
    problems.install(app)
    app.add_middleware(idempotency.Idempotency, prefix=PREFIX)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Prefix, prefix=prefix)
    if proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(proxies))
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's documented way


class NoSuchRoute:
    """Answers below /api what no route does, before the pages could."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        allowed = self._methods(scope)
        if allowed:
            reply = problems.answer(405, headers={"Allow": ", ".join(sorted(allowed))})
        else:
            reply = problems.answer(404)
        await reply(scope, receive, send)

    def _methods(self, scope: Scope) -> Collection[str]:
        return {
            method
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
            for route in self._app.router.routes
            if not isinstance(route, Mount)  # the pages take everything
            and getattr(route, "app", None) is not self
            and route.matches({**scope, "method": method})[0] is Match.FULL
        }


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document; made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Linli", version=VERSION, description=_ABOUT, routes=app.router.routes
        )
        _, components = msgspec.json.schema_components(SHOWN, ref_template=REFERENCE)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(components)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for operation in (one for path in made["paths"].values() for one in path.values()):
            if "422" in operation["responses"]:
                operation["responses"]["422"] = fails(422)[422]
        for path, operations in made["paths"].items():
            if "post" in operations and path.startswith(PREFIX) and idempotency.takes_key(path):
                _add_key(operations["post"])
        made["components"]["securitySchemes"] = {
            "session": {"type": "apiKey", "in": "cookie", "name": "linli_session"},
            "token": {"type": "http", "scheme": "bearer"},
        }
        made["security"] = [{"session": []}, {"token": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _add_key(operation: dict[str, Any]) -> None:
    operation.setdefault("parameters", []).append(idempotency.PARAMETER)
    for status in (400, 409, 422):
        operation["responses"].setdefault(str(status), fails(status)[status])


def document_text(app: FastAPI) -> str:
    """Return the document as it is kept in docs/reference/openapi.json."""
    return json.dumps(document(app), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
