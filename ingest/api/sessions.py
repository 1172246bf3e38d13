"""Signing in and out, for browsers and scripts that prefer a session to a token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.accounts.account import Session
from ingest.api.answers import Me, answer, fails, tells
from ingest.api.visitor import COOKIE, Now, TheServices, TheSession
from ingest.refusal import NotAllowed

router = APIRouter(tags=["session"])


class Credentials(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


@router.post("/login", responses=tells(Me, 401, 403, 422, 503), openapi_extra={"security": []})
def login(body: Credentials, request: Request, house: TheServices, now: Now) -> Response:
    """Sign in; sets the session cookie.

    Every failure looks the same and takes as long. Ten wrong tries for a name from one address
    lock that pair for a quarter of an hour; thirty for a name from anywhere lock it wherever it
    has not been signed in from before.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("the request came from another site")
    address = request.client.host if request.client else ""
    before = request.cookies.get(COOKIE)
    done = house.accounts.login(body.name.strip(), body.password, address, now, before)
    reply = answer(_me(done.session))
    reply.set_cookie(
        COOKIE,
        done.token,
        max_age=_seconds_left(done.session, now),
        path=_path(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return reply


@router.post("/logout", status_code=204, responses=fails(401, 403, 503))
def logout(request: Request, house: TheServices, session: TheSession, now: Now) -> Response:
    """Sign out of this browser."""
    del session
    house.accounts.logout(request.cookies.get(COOKIE, ""), now)
    reply = Response(status_code=204)
    reply.delete_cookie(COOKIE, path=_path(request), httponly=True, samesite="strict")
    return reply


@router.get("/session", responses=tells(Me, 401, 503))
def who(session: TheSession) -> Response:
    """Tell who is signed in by cookie, and the token that changes need."""
    return answer(_me(session))


def _me(session: Session) -> Me:
    return Me(
        name=session.viewer.name,
        role=session.viewer.role,
        csrf=session.csrf,
        expires=session.expires.isoformat(),
    )


def _seconds_left(session: Session, now: datetime) -> int:
    return max(int((session.expires - now).total_seconds()), 0)


def _path(request: Request) -> str:
    prefix: str = request.scope.get("root_path", "")
    return prefix.rstrip("/") + "/"
