"""Dashboards into a running Grafana by its HTTP API, where its files cannot be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import httpx2

from linli.errors import InputError, LinliError
from linli.settings import is_web_address

FOLDER = "linli"
TIMEOUT = 30.0
MESSAGE = "linli grafana push"


class Pushed(NamedTuple):
    """A dashboard that is there now, in this version."""

    uid: str
    title: str
    version: int


def push(
    client: httpx2.Client, boards: Iterable[dict[str, Any]], *, folder: str, overwrite: bool
) -> Iterator[Pushed]:
    """Put dashboards into a folder, made when missing; yield each as it is done.

    `client` has Grafana's address and a token. Raises InputError for what a person must mend, and
    LinliError when Grafana cannot be reached or fails.
    """
    _make_folder(client, folder)
    for board in boards:
        body = {
            "dashboard": {**board, "id": None},
            "folderUid": FOLDER,
            "overwrite": overwrite,
            "message": MESSAGE,
        }
        answer = _ask(client, "POST", "/api/dashboards/db", body)
        if answer.status_code != httpx2.codes.OK:
            raise _refusal(answer, board["uid"])
        said = _json(answer)
        yield Pushed(board["uid"], board["title"], int(said.get("version", 0)))


def open_client(url: str, token: str) -> httpx2.Client:
    """Return a client for a Grafana. Raises InputError for an address that is none."""
    if not is_web_address(url):
        raise InputError(
            f"{url!r} is no address", hint="Such as http://127.0.0.1:3000 or https://…/grafana"
        )
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.Client(
        base_url=url.rstrip("/") + "/", headers=headers, timeout=TIMEOUT, trust_env=False
    )


def _make_folder(client: httpx2.Client, title: str) -> None:
    answer = _ask(client, "GET", f"/api/folders/{FOLDER}")
    if answer.status_code == httpx2.codes.OK:
        return
    if answer.status_code == httpx2.codes.NOT_FOUND:
        answer = _ask(client, "POST", "/api/folders", {"uid": FOLDER, "title": title})
        if answer.status_code in (httpx2.codes.OK, httpx2.codes.CONFLICT):
            return
    raise _refusal(answer, "folder")


def _ask(client: httpx2.Client, method: str, path: str, body: Any = None) -> httpx2.Response:
    try:
        return client.request(method, path.lstrip("/"), json=body)
    except httpx2.HTTPError as error:
        raise LinliError(
            f"cannot be reached ({type(error).__name__})",
            where=f"Grafana at {client.base_url.host}",
            hint="Check the address and whether it runs",
        ) from None


def _refusal(answer: httpx2.Response, what: str) -> LinliError:
    said = str(_json(answer).get("message", ""))[:200]
    where = f"Grafana, {what}"
    match answer.status_code:
        case 401:
            return InputError(
                "the token is not accepted", where=where, hint="Make one of a service account"
            )
        case 403:
            return InputError(
                "the token may not do this", where=where, hint="It needs the role Editor"
            )
        case 412:
            return InputError(
                f"it is there already, and not as it was last pushed ({said})",
                where=where,
                hint="--overwrite replaces it",
            )
        case 400 | 404 | 422:
            return InputError(f"not accepted ({answer.status_code}: {said})", where=where)
        case status:
            return LinliError(f"answers {status} ({said})", where=where, hint="Try again later")


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
