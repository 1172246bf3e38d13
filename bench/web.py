"""The pages and the API on a full estate: how fast, how heavy, how many at once.

    python bench/web.py                          # all rows, about 10 minutes
    python bench/web.py server --incidents 100000 --rounds 40
    python bench/web.py weight streams --json

server   p50 and p95 of pages and lists over loopback, one after another, on 10⁵ incidents, 5,000 of
         them open, and 2,000 devices
weight   bytes over the wire, requests and time to interactive of the desk and the phone's pages in
         Chromium with a processor 4 times slower and 1.6 Mbit/s with 150 ms there and back
streams  20 events a second through mosquitto with no page open and with 200 desks open: published →
         on the API's live stream, processor time and memory of the ingest

Real processes, a real mosquitto, a real Chromium.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from end_to_end import machine
from load import load_average
from web_estate import Estate, estate
from web_rows import server, streams
from web_weight import weight

ROWS = {"server": server, "weight": weight, "streams": streams}


def main() -> None:
    lines = (__doc__ or "").splitlines()
    parser = argparse.ArgumentParser(
        description=lines[0],
        epilog="\n".join(lines[2:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; default: all")
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=5_000, help="how many of them are open")
    parser.add_argument("--devices", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=40, help="of each page")
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each half of `streams`")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = arguments.rows or list(ROWS)
    if unknown := sorted(set(rows) - set(ROWS)):
        parser.error(f"no such row: {', '.join(unknown)}")
    result: dict[str, Any] = {"machine": machine(), "load_before": load_average()}
    with tempfile.TemporaryDirectory(prefix="bench-") as name, _estate(name, arguments) as made:
        result["estate"] = made.filled
        for row in rows:
            result[row] = ROWS[row](made, arguments)
            result[row]["load"] = load_average()
            if not arguments.json:
                show(row, result[row])
    if arguments.json:
        print(json.dumps(result))


def _estate(folder: str, arguments: argparse.Namespace) -> AbstractContextManager[Estate]:
    return estate(
        Path(folder),
        incidents=arguments.incidents,
        still_open=arguments.open,
        devices=arguments.devices,
    )


def show(row: str, found: dict[str, Any]) -> None:
    print(row)
    for name, value in found.items():
        print(f"  {name:44} {value}", flush=True)


if __name__ == "__main__":
    main()
