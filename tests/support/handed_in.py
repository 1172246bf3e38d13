"""A picture as an edge hands it in, by service and over HTTP."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

from house import CAMERA, NODE, NODE_KEY, NOON, SITE

from ingest.evidence import book

ONE = "019536a1-0000-7000-8000-00000000aa01"


def arrival(data: bytes, name: str = ONE, **changes) -> book.Arrival:
    values = {"id": name, "site": SITE, "node": NODE, "device": CAMERA, "redaction": "heads"}
    values |= {"expires": NOON + timedelta(days=7), "sent_sha256": hashlib.sha256(data).hexdigest()}
    return book.Arrival(**{**values, **changes})


def put_headers(data: bytes, **more: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {
        "Authorization": f"Bearer {NODE_KEY}",
        "Content-Type": "image/jpeg",
        "Content-Digest": f"sha-256=:{digest}:",
        "Linli-Node": f"{SITE}/{NODE}",
        "Linli-Device": CAMERA,
        "Linli-Redaction": "heads",
        "Linli-Expires": "2026-03-09T12:00:00Z",
        **more,
    }
