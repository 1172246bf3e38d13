"""The edge beside its limits: one frame, 1 to 8 cameras, more than a core can do.

    python bench/edge_limits.py                                   # all rows, about 10 minutes
    python bench/edge_limits.py frame --frames 200 --json
    python bench/edge_limits.py cameras crowd --model builtin --seconds 25

frame    fitting the picture and reading the outputs, and the whole frame with decoding of the video
         and everything after, beside bare inference of the same model on the same session, in turns
cameras  a real `linli edge run` with 1, 2, 4, 8 cameras at 5 frames a second, without a broker:
         in whose pictures nothing is an event: processor time a frame, cameras a core, memory, and
         the share of the camera that got least beside the one that got most
latency  the same with 1 and the most cameras, where each who comes is an event, in all cameras
         in the same frame: capture → event committed
crowd    the same with more cameras than one core can do: how fair it stays
gate     six minutes in which two people come, stand still and leave, and something moves in a tenth
         of the time: gated beside ungated, frame by frame in turns; events found, share of dwell

Processor time is what counts on a machine with other work; the clock is shown beside it. A core is
said to carry as many cameras as it has processor time for, at 5 frames a second each; what bare
inference alone would allow stands beside it, measured before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from edge_frame import per_frame
from edge_gate import film, gated
from edge_process import run
from end_to_end import SHARED, machine

ROWS = ("frame", "cameras", "latency", "crowd", "gate")
FPS = 5.0
COUNTS = (1, 2, 4, 8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="\n".join(__doc__.splitlines()[2:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all")
    parser.add_argument("--video", type=Path, default=SHARED / "media/one-by-one-person.mp4")
    parser.add_argument(
        "--model", nargs="*", default=[str(SHARED / "models/yolox_nano.onnx"), "builtin"]
    )
    parser.add_argument("--frames", type=int, default=200, help="frames of the row `frame`")
    parser.add_argument("--seconds", type=float, default=25.0, help="of each run of the edge")
    parser.add_argument("--cameras", type=int, nargs="*", default=list(COUNTS))
    parser.add_argument("--crowd", type=int, default=24, help="cameras of the row `crowd`")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    unknown = set(arguments.rows) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there is: {', '.join(ROWS)}")
    if not arguments.video.is_file():
        sys.exit(f"{arguments.video}: no such file; pass --video")
    arguments.video = arguments.video.resolve()
    result: dict[str, Any] = {"machine": machine() | {"load_before": load()}}
    for model in arguments.model:
        path = Path(model).resolve()
        if "/" in model and not path.is_file():
            print(f"skipped: {model} is not here; pass --model", file=sys.stderr)
            continue
        result[path.stem] = measure(arguments, str(path) if "/" in model else model)
    result["machine"]["load_after"] = load()
    print(json.dumps(result) if arguments.json else table(result))


def measure(arguments: argparse.Namespace, model: str) -> dict[str, Any]:
    video, rows = arguments.video, arguments.rows or list(ROWS)
    found: dict[str, Any] = {}
    if "frame" in rows:
        found["frame"] = per_frame(video, model, arguments.frames)
    if "cameras" in rows:
        found |= cameras(video, model, arguments.cameras, arguments.seconds)
    if "latency" in rows:
        for count in (1, max(arguments.cameras)):
            said = run(video, model, count, arguments.seconds, events=True).plain()
            found[f"events of {count} cameras"] = said
    if "crowd" in rows:
        core = min(os.sched_getaffinity(0))
        crowd = run(video, model, arguments.crowd, arguments.seconds, cores=(core,))
        found[f"{arguments.crowd} cameras on one core"] = crowd.plain()
    if "gate" in rows:
        with tempfile.TemporaryDirectory() as folder:
            quiet = Path(folder) / "quiet.mp4"
            film(video, quiet)
            found["gate"] = gated(quiet, model)
    return found


def cameras(video: Path, model: str, counts: list[int], seconds: float) -> dict[str, Any]:
    """Run the edge with each number of cameras, between two looks at bare inference."""
    bare = [bare_ms(video, model)]
    runs = [run(video, model, count, seconds).plain() for count in counts]
    bare.append(bare_ms(video, model))
    mean = statistics.mean(bare)
    found: dict[str, Any] = {"bare": {"cpu_ms": round(mean, 2), "cameras_a_core": carried(mean)}}
    for one in runs:
        carries = {"cameras_a_core": carried(one["cpu_ms_a_frame"])}
        found[f"{one['cameras']} cameras"] = one | carries
    first, last = runs[0], runs[-1]
    if first is not last:
        more = (last["rss_mb"] - first["rss_mb"]) / (last["cameras"] - first["cameras"])
        found["each further camera"] = {"rss_mb": round(more, 1)}
    return found


def bare_ms(video: Path, model: str) -> float:
    return per_frame(video, model, 40)["bare_cpu_ms"]


def carried(cpu_ms: float) -> float:
    """Return how many cameras at 5 frames a second a core has processor time for."""
    return round(1000 / cpu_ms / FPS, 1)


def load() -> float:
    return round(os.getloadavg()[0], 1)


def table(result: dict[str, Any]) -> str:
    lines = []
    for model, rows in result.items():
        for name, row in rows.items():
            if not isinstance(row, dict):
                lines.append(f"{model:12} {name:24} {row}")
                continue
            lines += [f"{model:12} {name:24} {key:22} {value}" for key, value in row.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
