"""The main job, measured: capture → incident visible; `edge_limits.py` says what the edge costs.

python bench/end_to_end.py --video street.mp4 --model yolox_nano.onnx [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from linli.process import linli_argv

SHARED = Path(__file__).resolve().parents[2] / "shared"
PACKAGES = ("onnxruntime", "opencv-python-headless", "numpy", "fastapi", "paho-mqtt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", default=str(SHARED / "media/one-by-one-person.mp4"))
    parser.add_argument("--model", default=str(SHARED / "models/yolox_nano.onnx"))
    parser.add_argument("--duration", type=float, default=60.0, help="seconds of the demo run")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for path in (arguments.video, arguments.model):
        if not Path(path).is_file():
            sys.exit(f"{path}: no such file; pass --video and --model")
    result: dict[str, Mapping[str, object]] = {
        "machine": machine(),
        "end_to_end": end_to_end(arguments.video, arguments.model, arguments.duration),
    }
    if arguments.json:
        print(json.dumps(result))
        return
    for name, part in result.items():
        print(name)
        for key, value in part.items():
            print(f"  {key:24} {value}")


def machine() -> dict[str, str]:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "cpu": f"{cpu}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "packages": versions,
    }


def end_to_end(video: str, model: str, duration: float) -> dict[str, object]:
    """Run the demo in real time and return its latency and memory."""
    argv = linli_argv("demo", "--video", video, "--model", model, "--json", "--port", "0")
    done = subprocess.run(
        [*argv, "--duration", str(duration)], stdout=subprocess.PIPE, text=True, check=True
    )
    summary = json.loads(done.stdout)
    keys = ("events_produced", "events_stored", "lost", "incidents", "latency_ms", "rss_mb")
    return {key: summary[key] for key in keys}


if __name__ == "__main__":
    main()
