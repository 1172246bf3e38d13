"""The main job, measured: capture → incident visible, and the pipeline beside bare inference.

    python bench/end_to_end.py --video street.mp4 --model yolox_nano.onnx [--json]

Bare inference is ONNX Runtime on the same model with ready-made tensors, one thread, in the same
run, frame by frame in turn with the pipeline, so that a drifting machine hits both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edge.detect.detector import load_detector
from edge.detect.letterbox import Letterbox
from edge.detect.onnx_session import open_session
from edge.pipeline import CameraPipeline
from edge.settings import Camera, Scenario, Zone
from edge.source.file import FileSource
from linli.clock import SystemClock
from linli.process import linli_argv

SHARED = Path(__file__).resolve().parents[2] / "shared"
PACKAGES = ("onnxruntime", "opencv-python-headless", "numpy", "fastapi", "paho-mqtt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", default=str(SHARED / "media/one-by-one-person.mp4"))
    parser.add_argument("--model", default=str(SHARED / "models/yolox_nano.onnx"))
    parser.add_argument("--frames", type=int, default=300, help="frames per figure")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds of the demo run")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for path in (arguments.video, arguments.model):
        if not Path(path).is_file():
            sys.exit(f"{path}: no such file; pass --video and --model")
    result = {
        "machine": machine(),
        "per_frame": per_frame(arguments.video, arguments.model, arguments.frames),
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


def per_frame(video: str, model: str, count: int) -> dict[str, float]:
    """Time decoding, bare inference, detect() and the whole pipeline on the same frames."""
    detector = load_detector(Path(model))
    bare = open_session(Path(model))
    pipeline = CameraPipeline(camera(video), detector, SystemClock())
    letterbox = Letterbox(416, 416)
    read, inferred, detected, piped = [], [], [], []
    source = FileSource(Path(video), fps=30.0, speed="max", clock=SystemClock())
    with source:
        while len(read) < count:
            started = time.perf_counter()
            frame = source.read(1.0)
            if frame is None:
                if source.state == "ended":
                    break
                continue
            read.append(time.perf_counter() - started)
            tensor = np.array(letterbox.fill(frame.image)[0])
            bare.run(tensor)  # warms the caches that the timed runs of both sides share
            inferred.append(timed(lambda t=tensor: bare.run(t)))
            detected.append(timed(lambda f=frame: detector.detect(f.image)))
            piped.append(timed(lambda f=frame: pipeline.process(f)))
    base = statistics.median(inferred)
    ms = {
        "decode_ms": statistics.median(read),
        "bare_inference_ms": base,
        "detect_ms": statistics.median(detected),
        "pipeline_ms": statistics.median(piped),
    }
    return {
        "frames": len(read),
        **{key: round(value * 1000, 3) for key, value in ms.items()},
        "detect_over_bare": round(median_ratio(detected, inferred), 3),
        "pipeline_over_bare": round(median_ratio(piped, inferred), 3),
        "with_decode_over_bare": round(
            median_ratio([a + b for a, b in zip(read, piped, strict=True)], inferred), 3
        ),
    }


def camera(video: str) -> Camera:
    whole = Zone(id="whole", points=((0, 0), (1, 0), (1, 1), (0, 1)))
    scenario = Scenario(event="zone-dwell", labels=("person",), zone="whole")
    return Camera(id="cam", label="bench", source=video, zone=(whole,), scenario=(scenario,))


def timed(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def median_ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


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
