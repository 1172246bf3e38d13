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
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from edge.detect.decoder import Input
from edge.detect.detector import FLOOR, OnnxDetector
from edge.detect.families import decoder_for
from edge.detect.letterbox import Letterbox
from edge.detect.names import class_names
from edge.detect.onnx_session import OnnxSession, open_session, warm_up
from edge.pipeline import CameraPipeline
from edge.settings import Camera, Scenario, Zone
from edge.source.file import FileSource
from linli.clock import SystemClock
from linli.events import ModelRef
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
    """Time decoding, bare inference, detect() and the whole pipeline on the same frames.

    All three run the same session, in an order that turns with every frame, so that caches and a
    drifting clock favour none.
    """
    cv2.setNumThreads(1)  # as the agent does
    detector, session = load(Path(model))
    pipeline = CameraPipeline(camera(video), detector, SystemClock())
    letterbox = Letterbox(Input(416, 416))
    read: list[float] = []
    spent: dict[str, list[float]] = {"bare": [], "detect": [], "pipeline": []}
    with FileSource(Path(video), fps=30.0, speed="max", clock=SystemClock()) as source:
        while len(read) < count:
            started = time.perf_counter()
            frame = source.read(1.0)
            if frame is None:
                if source.state == "ended":
                    break
                continue
            read.append(time.perf_counter() - started)
            tensor = np.array(letterbox.fill(frame.image)[0])
            turns = [
                ("bare", partial(session.run, tensor)),
                ("detect", partial(detector.detect, frame.image)),
                ("pipeline", partial(pipeline.process, frame)),
            ]
            first = len(read) % len(turns)
            for name, action in turns[first:] + turns[:first]:
                spent[name].append(timed(action))
    ms = {"decode_ms": read, **{f"{name}_ms": values for name, values in spent.items()}}
    with_decode = [a + b for a, b in zip(read, spent["pipeline"], strict=True)]
    return {
        "frames": len(read),
        **{name: round(statistics.median(values) * 1000, 3) for name, values in ms.items()},
        "detect_over_bare": round(over(spent["detect"], spent["bare"]), 3),
        "pipeline_over_bare": round(over(spent["pipeline"], spent["bare"]), 3),
        "with_decode_over_bare": round(over(with_decode, spent["bare"]), 3),
    }


def load(path: Path) -> tuple[OnnxDetector, OnnxSession]:
    """Return a detector and the very session it runs on."""
    session = open_session(path)
    decoder = decoder_for(session.signature, where=str(path))
    names = class_names(session.metadata, decoder.classes)
    assert names is not None
    warm_up(session, decoder.wants)
    model = ModelRef(name="bench", version="0", sha256=session.sha256)
    return OnnxDetector(session, decoder, names, model, FLOOR), session


def camera(video: str) -> Camera:
    whole = Zone(id="whole", points=((0, 0), (1, 0), (1, 1), (0, 1)))
    scenario = Scenario(event="zone-dwell", labels=("person",), zone="whole")
    return Camera(id="cam", label="bench", source=video, zone=(whole,), scenario=(scenario,))


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def over(above: list[float], below: list[float]) -> float:
    """Return the ratio of the medians: single frames jitter too much for ratios of their own."""
    return statistics.median(above) / statistics.median(below)


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
