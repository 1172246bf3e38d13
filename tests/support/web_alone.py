"""The web process without pages, for tests that need a real server and real signals."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from ingest.app import create_app
from ingest.settings import load_settings

if __name__ == "__main__":
    uvicorn.run(
        create_app(load_settings(Path(sys.argv[1]))),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=20,
    )
