"""Tokens for one bucket each, made with the one that may do everything (InfluxDB 2)."""

from __future__ import annotations

import json
from typing import Any

from ingest.settings import Influx
from linli.errors import LinliError


def bucket_token(settings: Influx, operator: str, *, write: bool, name: str) -> str:
    """Make a token that may read the bucket, and write into it too; `name` is its description.

    Raises LinliError when the server is away, knows no such bucket, or refuses.
    """
    import httpx2  # noqa: PLC0415 - an ingest without InfluxDB does not pay for it

    where = settings.url or ""
    header = {"Authorization": f"Token {operator}"}
    try:
        with httpx2.Client(base_url=where, headers=header, timeout=30, trust_env=False) as client:
            asked = {"org": settings.org, "name": settings.bucket}
            found = _told(client.get("/api/v2/buckets", params=asked), 200)["buckets"]
            one = {"type": "buckets", "id": found[0]["id"], "orgID": found[0]["orgID"]}
            actions = ("read", "write") if write else ("read",)
            wanted = {
                "orgID": one["orgID"],
                "description": name,
                "permissions": [{"action": action, "resource": one} for action in actions],
            }
            return str(_told(client.post("/api/v2/authorizations", json=wanted), 201)["token"])
    except httpx2.HTTPError as error:
        raise LinliError(f"cannot be reached ({type(error).__name__})", where=where) from None
    except IndexError:
        raise LinliError(f"knows no bucket {settings.bucket!r}", where=where) from None
    except (KeyError, TypeError, ValueError):
        raise LinliError("answers as no InfluxDB 2 does", where=where) from None


def _told(answer: Any, status: int) -> dict[str, Any]:
    if answer.status_code != status:
        at = str(answer.request.url.path)
        raise LinliError(f"answers {answer.status_code} to {at}: no token to be had", where=at)
    document: dict[str, Any] = json.loads(answer.content)
    return document
