"""An ingest that tells one edge box what to watch, as a test wants it to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from edge.kept import Wanted

EXAMPLE = json.loads(
    (Path(__file__).parents[2] / "docs/reference/examples/edge-config/camera.json").read_text()
)


def document(fps: float = 5.0) -> dict[str, Any]:
    return {**EXAMPLE, "camera": [{**EXAMPLE["camera"][0], "fps": fps}]}


def version(number: int, **camera: Any) -> Wanted:
    return Wanted(version=number, document=document(**camera))


class Office:
    """Knows one box by its key."""

    def __init__(self) -> None:
        self.wanted: Wanted | None = None
        self.answer: Response | None = None
        self.asked: list[str | None] = []
        self.app = FastAPI()
        self.app.add_api_route("/api/v1/edge-config", self._config)

    async def _config(self, request: Request) -> Response:
        known = request.headers.get("if-none-match")
        self.asked.append(known)
        if self.answer is not None:
            return self.answer
        assert request.headers["authorization"] == "Bearer the key"
        assert request.headers["linli-node"] == "c001/c001-n07"
        if self.wanted is None:
            return Response(status_code=404)
        if known == f'"{self.wanted.version}"':
            return Response(status_code=304)
        body = {**msgspec.to_builtins(self.wanted), "actor": "user:boss", "why": "x"}
        return Response(json.dumps(body), media_type="application/json")


def write_config(folder: Path, url: str, more: str = "") -> Path:
    path = folder / "edge.toml"
    (folder / "node.key").write_text("the key\n")
    (folder / "data").mkdir(exist_ok=True)
    path.write_text(
        '[node]\nsite = "c001"\narea = "b03"\nid = "c001-n07"\n'
        f'[ingest]\nurl = "{url}"\nkey_file = "node.key"\n{more}'
    )
    return path
