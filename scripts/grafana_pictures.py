"""Draws docs/img/grafana-*.png: each board's data, as its own queries bring it from InfluxDB.

Needs Debian's influxdb and fonts-noto-cjk, and the extra `dev`: python scripts/grafana_pictures.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from board_pictures import draw  # noqa: E402
from community import Community, lived  # noqa: E402
from influx import running_influxd, settings_of  # noqa: E402

from dashboards.grafana import shipped  # noqa: E402
from dashboards.grafana.names import Names, put  # noqa: E402
from ingest.influx.endpoint import endpoint_of  # noqa: E402
from ingest.services.called import called  # noqa: E402


def named(community: Community) -> Names:
    """Return what the community's registry calls things, as `--names-from` reads it."""
    found = called(community.folder.reader("state"))
    return Names(
        areas={one: found.area(one, "zh") for one in found.areas},
        nodes={one: found.node(one, "zh") for one in found.nodes},
        devices={
            (found.area_of[of], of, one): found.device(of, one, "zh") for of, one in found.devices
        },
    )


def main() -> None:
    """Let a made-up community live two days, and draw every board."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "influx").mkdir()
        with running_influxd(folder / "influx") as server:
            endpoint = endpoint_of(settings_of(server))
            with lived(folder / "ingest", endpoint) as community:
                known = named(community)
                for board in shipped.boards("zh", "influx"):
                    put(board, known)
                    path = draw(board, server, community.end, ROOT / "docs" / "img")
                    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB")
            endpoint.close()


if __name__ == "__main__":
    main()
