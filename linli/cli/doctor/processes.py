"""Whether the ingest runs and its pages answer, seen from outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2

from ingest.doctor.machine import NOTHING, PATIENCE, broker
from ingest.repairs.finding import Finding, well
from ingest.settings import IngestSettings
from linli.owner import held


def look(settings: IngestSettings) -> Iterator[Finding]:
    """Yield what was found."""
    yield _running(settings.folder)
    yield _web(settings)
    yield broker(settings)


def _running(folder: Path) -> Finding:
    if held(folder):
        return well("ingest", "the ingest runs on this folder")
    return Finding(
        code="ingest-down",
        level="bad",
        what="no ingest runs on this data folder",
        means=NOTHING,
        do="Start it with `linli ingest run`; its last lines say why it ended",
    )


def _web(settings: IngestSettings) -> Finding:
    host = settings.http.host if settings.http.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 - compared, not bound
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{settings.http.port}/healthz"
    try:
        status = httpx2.get(url, timeout=PATIENCE, trust_env=False).status_code
    except httpx2.HTTPError as error:
        return _web_down(f"{url} does not answer ({type(error).__name__})")
    if status != 200:
        return _web_down(f"{url} answers {status}")
    return well("web", f"{url} answers")


def _web_down(what: str) -> Finding:
    return Finding(
        code="web-down",
        level="bad",
        what=what,
        means="Pages do not open and incidents are not made. What edges send is still stored, if "
        "the receiver runs.",
        do="Look at the last lines of `linli ingest run`; it starts the web side again by itself",
    )
