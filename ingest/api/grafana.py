"""Where Grafana's alerts come in: its webhook contact point posts groups of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.api.answers import AlertsTaken, answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.incidents.alerts import Alert
from linli.log import get_logger

log = get_logger(__name__)

router = APIRouter(tags=["alerts"])
MOST = 500
_Label = Annotated[str, Field(max_length=1000)]
_Labels = Annotated[dict[_Label, _Label], Field(max_length=64)]


class GrafanaAlert(BaseModel):
    """One alert of a group; what Grafana says beside this is not used."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    fingerprint: Annotated[str, Field(min_length=1, max_length=128)]
    startsAt: AwareDatetime  # noqa: N815 - Grafana's name
    endsAt: AwareDatetime | None = None  # noqa: N815
    labels: _Labels = {}
    annotations: _Labels = {}


class GrafanaAlerts(BaseModel):
    """The body of a webhook, version 1."""

    model_config = ConfigDict(extra="ignore")

    alerts: Annotated[list[GrafanaAlert], Field(max_length=MOST)]
    truncatedAlerts: Annotated[int, Field(ge=0, le=2**53)] = 0  # noqa: N815


@router.post("/webhook/grafana", responses=tells(AlertsTaken, 401, 403, 413, 422, 503))
def take_alerts(
    *, house: TheServices, viewer: TheViewer, now: Now, body: GrafanaAlerts
) -> Response:
    """Take a group of Grafana's alerts: firing ones become incidents, resolved ones clear them.

    The same alert told again changes nothing. Needs a token that may act.
    """
    changed = house.incidents.take_alerts(viewer, [_alert(one) for one in body.alerts], now)
    if body.truncatedAlerts:
        log.warning("grafana: %d alerts were left out of a message", body.truncatedAlerts)
    return answer(
        AlertsTaken(taken=len(body.alerts), changed=changed, left_out=body.truncatedAlerts)
    )


def _alert(said: GrafanaAlert) -> Alert:
    return Alert(
        fingerprint=said.fingerprint,
        firing=said.status == "firing",
        starts=said.startsAt,
        ends=said.endsAt,
        labels=said.labels,
        title=said.annotations.get("summary") or said.annotations.get("description"),
    )
