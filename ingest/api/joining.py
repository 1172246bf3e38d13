"""How boxes join: codes for administrators; identity, certificate and renewal for boxes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.accounts.origin import origin
from ingest.api.answers import answer, fails, tells
from ingest.api.visitor import Now, TheNode, TheServices, TheViewer
from ingest.door.book import Sight
from ingest.services.access import NewSecret
from ingest.services.joining import BoxList, BrokerPassword, Certificate, Joined, JoinList

router = APIRouter(tags=["joining"])


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Invitation(_Asked):
    """A box that shall come in, or one that takes the place of a registered one."""

    node: Annotated[str, Field(max_length=32)]
    area: Annotated[str, Field(max_length=32)] | None = None
    label: Annotated[str, Field(max_length=64)] | None = None
    hours: Annotated[int, Field(ge=1, le=168)] = 24


class Joining(_Asked):
    """A code, and the key by which the box, which made it, will be known."""

    code: Annotated[str, Field(min_length=1, max_length=64)]
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{32,128}$")]


class CertificateRequest(_Asked):
    """A PKCS #10 request in PEM, of a P-256 key that never leaves the box."""

    request: Annotated[str, Field(max_length=4096)]


class PasswordDigest(_Asked):
    """A password's digest as mosquitto keeps it (`$7$…`); the password never leaves the box."""

    digest: Annotated[str, Field(max_length=128)]


@router.get("/joins", responses=tells(JoinList, 401, 403, 503))
def list_joins(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """List codes that can still be used, the newest first, without the codes themselves."""
    return answer(JoinList(items=house.joining.codes(viewer, now)))


@router.post(
    "/joins", status_code=201, responses=tells(NewSecret, 400, 401, 403, 422, 503, status=201)
)
def add_join(house: TheServices, viewer: TheViewer, now: Now, body: Invitation) -> Response:
    """Make a code by which one box joins once; it is told this once.

    For a box that is registered: who uses the code takes its place and its history, and the old
    box is shut out then.
    """
    made = house.joining.invite(
        viewer, body.node, now, area=body.area, label=body.label, hours=body.hours
    )
    return answer(made, 201)


@router.delete("/joins/{join}", status_code=204, responses=fails(401, 403, 404, 503))
def end_join(join: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """End a code that was not used, by its id."""
    house.joining.withdraw(viewer, join, now)
    return Response(status_code=204)


@router.get("/joined", responses=tells(BoxList, 401, 403, 503))
def list_joined(house: TheServices, viewer: TheViewer) -> Response:
    """List boxes that joined or were shut out, and whether the broker's keeper has done it."""
    return answer(BoxList(items=house.joining.boxes(viewer)))


@router.get("/broker", responses=tells(Sight, 401, 403, 503))
def broker(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Show who was not let in by the broker, by address, and how much it retains."""
    return answer(house.joining.broker(viewer, now))


@router.post(
    "/registry/edges/{edge}/shut-out", status_code=204, responses=fails(401, 403, 404, 503)
)
def shut_out(edge: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """End a box's key, certificates and password, such as when it was stolen."""
    house.joining.shut_out(viewer, edge, now)
    return Response(status_code=204)


@router.post("/join", responses=tells(Joined, 403, 410, 422, 503), openapi_extra={"security": []})
def join(request: Request, house: TheServices, now: Now, body: Joining) -> Response:
    """Join by a code, as a box. The same code with the same key again is answered as before.

    Every code that cannot be used is answered alike; ten wrong ones from an address lock it out
    for a quarter of an hour.
    """
    address = origin(request.client.host if request.client else "")
    return answer(house.joining.join(body.code, body.key, address, now))


@router.put(
    "/edge-certificate",
    responses=tells(Certificate, 400, 401, 409, 422, 503),
    openapi_extra={"security": [{"token": []}]},
)
def edge_certificate(
    caller: TheNode, house: TheServices, now: Now, body: CertificateRequest
) -> Response:
    """Ask for a certificate at the broker, as a node; the same request again looks for it."""
    return answer(house.joining.certificate(caller.node, body.request, now))


@router.put(
    "/edge-password",
    responses=tells(BrokerPassword, 400, 401, 409, 422, 503),
    openapi_extra={"security": [{"token": []}]},
)
def edge_password(caller: TheNode, house: TheServices, now: Now, body: PasswordDigest) -> Response:
    """Give the broker a password's digest, as a node; the same again tells whether it has it."""
    return answer(house.joining.password(caller.node, body.digest, now))
