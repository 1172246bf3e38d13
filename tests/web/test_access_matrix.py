"""Every route and every role: what each is answered, held against docs/reference/access.md."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.testclient import TestClient
from house import NODE, NOON, SITE, Folder

from dashboards.web.mount import mount
from ingest.accounts import book
from ingest.accounts.account import ROLES
from ingest.app import create_app
from ingest.store.engine import writing
from linli.ids import uuid7

TABLE = Path(__file__).parents[2] / "docs" / "reference" / "access.md"
LIMITED = "limited"
WHO = ("nobody", *ROLES, LIMITED)
WORD = "a rather long evening"
ENDLESS = {"/api/v1/stream", "/live", "/wall/live"}
"""They answer for as long as somebody listens; only who may not is asked."""
VALUES = {"what": "areas", "node": NODE, "edge": NODE, "command": "door-hold", "name": "no-such"}
VALUES |= {"version": "1", "number": "1", "reject": "1", "camera": "cam-e1", "record": "no-such"}
SPAN = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
QUERY = {**SPAN, "series": "a/b/c/d/e/f", "step": "300", "expires": "1", "purpose": "api"}
QUERY |= {"signature": "x", "msg_signature": "x", "timestamp": "1", "nonce": "x", "echostr": "x"}
QUERY |= {"place": "no-such", "label": "x", "kind": "call", "event": "zone-dwell", "zone": "x"}
QUERY |= {"from": "1772323200000", "to": "1772409600000"}
ODD = {("/api/v1/history/incidents", "step"), ("/api/v1/statistics/counts", "event")}
"""What means something else there."""
NODE_HEADERS = {
    "Linli-Node": f"{SITE}/{NODE}",
    "Linli-Device": "cam-e1",
    "Linli-Redaction": "heads",
}
NODE_HEADERS |= {"Linli-Expires": NOON.isoformat(), "Linli-At": NOON.isoformat()}
NODE_HEADERS |= {"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}
BODIES: dict[str, object] = {  # of what is refused without one before it is asked who asks
    "/api/v1/devices/{node}/{device}/commands/{command}": {"reason": "try", "seconds": 1},
    "/api/v1/devices/{node}/{device}/live": {"purpose": "fault"},
    "/api/v1/incidents/{incident}/label": {"label": "drill"},
    "/api/v1/incidents/{incident}/note": {"note": "seen"},
    "/api/v1/drills": {"node": "c001-n07", "device": "cam-e1"},
    "/api/v1/incidents/{incident}/shelve": {"seconds": 60},
    "/api/v1/incidents/{incident}/orders": {"assignee": "wang"},
    "/api/v1/orders/{order}/assign": {"assignee": "wang"},
    "/api/v1/orders/{order}/hand-over": {"assignee": "wang", "note": "away"},
    "/api/v1/orders/{order}/return": {"note": "away"},
    "/api/v1/orders/{order}/done": {"words": "repaired"},
    "/api/v1/orders/{order}/check": {"ok": True},
    "/api/v1/orders/{order}/rate": {"stars": 5},
    "/webhook/grafana": {"alerts": []},
    "/api/v1/accounts": {"name": "no one", "role": "street"},
    "/api/v1/accounts/{name}": {"role": "street"},
    "/api/v1/session/password": {"current": "wrong", "new": "not taken anyway"},
    "/api/v1/tokens": {"account": "x", "label": "x", "scopes": ["see"]},
    "/api/v1/screens": {"label": ""},
    "/api/v1/joins": {"node": "C"},
    "/api/v1/join": {"code": "x", "key": "k" * 40},
    "/api/v1/edge-certificate": {"request": "x"},
    "/api/v1/edge-password": {"digest": "x"},
    "/api/v1/notifications/test": {"channel": "x", "address": "y"},
    "/api/v1/evidence/{evidence}/hold": {"why": "police"},
    "/api/v1/evidence/{evidence}/release": {"why": "over"},
    "/api/v1/floor-plans/{plan}/devices/{node}/{device}": {"x": 0.5, "y": 0.5},
    "/api/v1/silences/preview": {"matchers": {"sites": [SITE]}},
    "/api/v1/silences": {
        "matchers": {"sites": [SITE]},
        "why": "repair",
        "ends": "2026-03-02T13:00:00Z",
    },
}
FORMS: dict[str, dict[str, str]] = {
    "/settings/access/accounts": {"name": "no one", "role": "street"},
    "/settings/access/accounts/{name}": {"role": "street"},
    "/settings/access/tokens": {"account": "no-such", "label": "x", "scopes": "see"},
    "/settings/access/screens": {"label": " "},
}
FORMS |= {
    "/settings/joining": {"node": "C"},
    "/channels/{channel}/test": {"address": "nobody@example.org"},
    "/channels/one/{name}/remove": {"tag": "x"},
    "/devices/{node}/{device}/commands/{command}": {"once": uuid7(NOON), "reason": "try"},
    "/floor-plans/{plan}/devices": {"thing": f"{NODE}/cam-e1", "left": "1", "top": "1"},
    "/floor-plans/{plan}/take-off": {"thing": f"{NODE}/cam-e1"},
    "/floor-plans/{plan}/rename": {"label": "x"},
    "/incidents/{incident}/note": {"words": "seen"},
    "/incidents/{incident}/order": {"assignee": "wang"},
    "/settings/drills": {"place": f"{NODE}/no-such", "event": "smoke"},
    "/settings/rosters/{team}/swap": {"tag": "x"},
    "/settings/rosters/{team}/swap/{number}/remove": {"tag": "x"},
    "/settings/rosters/{team}/dated": {"tag": "x"},
    "/settings/rosters/{team}/dated/{number}/remove": {"tag": "x"},
    "/settings/papers/{kind}/{name}/log/{version}": {"tag": "x"},
    "/settings/rules/log/{version}": {"tag": "x"},
    "/settings/rules/one/{name}/{deed}": {"tag": "x"},
    "/settings/papers/{kind}/{name}/remove": {"tag": "x"},
    "/settings/people/{what}/{name}/test": {"way": "0", "channel": "x"},
    "/wall/open": {"code": "x"},
    "/language": {"language": "en"},
}
PHONE = {"endpoint": "https://push.example.org/x", "keys": {"p256dh": "x", "auth": "x"}}
BODIES |= {"/m/push": PHONE, "/i/{token}/push": PHONE}
BODIES |= {"/api/v1/login": {"name": "no-such", "password": "not this one"}}
WHERE: dict[str, dict[str, str]] = {
    "/m/{incident}/{deed}": {"deed": "acknowledge"},
    "/i/{token}/{deed}": {"deed": "acknowledge"},
    "/incidents/{incident}/{deed}": {"deed": "acknowledge"},
    "/orders/{order}/{deed}": {"deed": "accept"},
    "/tour/{tried}": {"tried": "acknowledge"},
    "/settings/rules/one/{name}/{deed}": {"deed": "off"},
    "/settings/people/{what}": {"what": "person"},
    "/settings/people/{what}/{name}": {"what": "person"},
    "/settings/people/{what}/{name}/test": {"what": "person"},
    "/settings/papers/{kind}/{name}": {"kind": "ladder"},
    "/settings/papers/{kind}/{name}/remove": {"kind": "ladder"},
    "/settings/papers/{kind}/{name}/log": {"kind": "ladder"},
    "/settings/papers/{kind}/{name}/log/{version}": {"kind": "ladder"},
}
"""What stands in a path there, where another word would name no page at all."""
UNREAD = {400, 404, 409, 422}
OWN = {("POST", "/settings/password"), ("PUT", "/api/v1/session/password")}
"""What everybody may do to themselves."""
LINE = re.compile(r"\| `([A-Z]+) ([^`]+)` \| (.+) \|")


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of each route of the API and of the pages."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path
    pages = next(one.app for one in app.router.routes if getattr(one, "name", "") == "pages")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a page that GET and HEAD share; nobody reads this
        found = get_openapi(title="pages", version="1", routes=pages.routes)["paths"]
    for path, operations in found.items():
        for method in operations:
            yield method.upper(), path


def written() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what the table says."""
    found = (LINE.fullmatch(line) for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {(one.group(1), one.group(2)): tuple(one.group(3).split(" | ")) for one in found if one}


def asked(client: TestClient, method: str, path: str, csrf: str) -> str:
    """Return what somebody is answered: yes, sign in, or no."""
    values = {**VALUES, **WHERE.get(path, {})}
    where = re.sub(r"\{(\w+)(:path)?\}", lambda one: values.get(one.group(1), uuid7(NOON)), path)
    headers = {**NODE_HEADERS, **({"X-CSRF-Token": csrf} if csrf else {})}
    query = {one: QUERY[one] for one in QUERY if (path, one) not in ODD}
    body = BODIES.get(path)
    kind = (
        {"json": body}
        if body is not None or path.startswith("/api/")
        else {"data": {"csrf_token": csrf, **FORMS.get(path, {})}}
    )
    answer = client.request(
        method, where, headers=headers, params=query, follow_redirects=False, **kind
    )  # type: ignore[arg-type]
    assert answer.status_code < 500 or answer.status_code == 503, (method, path, answer.text)
    if answer.status_code == 401 or "/login" in answer.headers.get("location", ""):
        return "sign in"
    if answer.status_code == 403:
        return "no"
    # Perhaps it was refused before it was asked who asks, which would say yes to everybody.
    unread = method != "GET" and answer.status_code in UNREAD and (method, path) not in OWN
    return "yes?" if unread else "yes"


def seen(tmp_path: Path, some: tuple[str, ...]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what everybody is answered on every route."""
    folder = Folder(tmp_path)
    with writing(folder.state) as connection:
        for role in ROLES:
            book.add_account(connection, role, role, NOON, WORD)
        book.add_account(connection, LIMITED, "admin", NOON, WORD, areas={"b99"})
    app = create_app(folder.settings, clock=folder.clock)
    site = folder.settings.site
    mount(app, app.state.services, site=site.label, zone=site.timezone, clock=folder.clock)
    found: dict[tuple[str, str], list[str]] = {one: [] for one in routes(app)}
    with TestClient(app, base_url="http://linli.test") as client:
        for who in some:
            client.cookies.clear()
            csrf = ""
            if who != "nobody":
                body = {"name": who, "password": WORD}
                csrf = client.post("/api/v1/login", json=body).json()["csrf"]
            for (method, path), told in found.items():
                if path.endswith("/logout"):
                    told.append("sign in" if who == "nobody" else "yes")
                elif path in ENDLESS and who != "nobody":
                    told.append("yes")
                else:
                    told.append(asked(client, method, path, csrf))
    folder.close()
    return {one: judged(one, tuple(told)) for one, told in found.items()}


def judged(route: tuple[str, str], told: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a line says; fail when it cannot be told, as rights were never asked for."""
    assert set(told) != {"sign in", "yes?"}, f"rights are asked for too late, or never: {route}"
    return tuple("yes" if one == "yes?" else one for one in told)


def check(tmp_path: Path, some: tuple[str, ...]) -> None:
    real, table = seen(tmp_path, some), written()
    of_these = {route: tuple(told[WHO.index(one)] for one in some) for route, told in table.items()}
    lines = "\n".join(f"{one}: {real[one]}" for one in real if of_these.get(one) != real[one])
    assert of_these == real, f"{TABLE.name} has something else, or no line:\n{some}\n{lines}"


def test_every_route_has_a_line_and_answers_as_it_is_written(tmp_path: Path) -> None:
    """The whole table is asked with --full; LINLI_WRITE_DOCUMENTS=1 writes it, to be read."""
    if os.environ.get("LINLI_WRITE_DOCUMENTS"):
        write(seen(tmp_path, WHO))
        return
    check(tmp_path, ("nobody", "street", LIMITED))


@pytest.mark.full
def test_every_route_answers_each_role_as_it_is_written(tmp_path: Path) -> None:
    check(tmp_path, WHO)


def line_of(route: tuple[str, str], told: tuple[str, ...]) -> str:
    return f"| `{' '.join(route)}` | {' | '.join(told)} |"


def write(real: dict[tuple[str, str], tuple[str, ...]]) -> None:
    """Write the lines anew below the words."""
    head = TABLE.read_text(encoding="utf-8").partition("| request |")[0]
    title = f"| request | {' | '.join(WHO)} |\n|{'---|' * (len(WHO) + 1)}\n"
    order = sorted(real, key=lambda one: (not one[1].startswith("/api/"), one[1], one[0]))
    rows = "".join(line_of(one, real[one]) + "\n" for one in order)
    TABLE.write_text(head + title + rows, encoding="utf-8")
