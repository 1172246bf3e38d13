"""One frame's way through the edge beside bare inference of the same model, in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import msgspec
import numpy as np

from edge.catalog.book import find_file, open_book
from edge.detect.detector import FLOOR, OnnxDetector
from edge.detect.families import decoder_for
from edge.detect.letterbox import Letterbox
from edge.detect.names import class_names
from edge.detect.onnx_session import OnnxSession, open_session, warm_up
from edge.pipeline import CameraPipeline
from edge.settings import Attention, Camera, Scenario, Zone
from edge.source.file import FileSource
from linli.clock import SystemClock

WHOLE = Zone(id="whole", points=((0, 0), (1, 0), (1, 1), (0, 1)))


def per_frame(video: Path, model: str, count: int) -> dict[str, float]:
    """Time decoding, bare inference, detect() and the whole pipeline on the same frames.

    The latter with one look at each frame, and with closer looks where they help. In an order that
    turns with every frame, so that caches and a drifting machine favour none; by processor time of
    this thread, which other work on the machine disturbs least, and by the clock.
    """
    cv2.setNumThreads(1)  # as the agent does
    detector, session = load(model)
    once = msgspec.structs.replace(camera("cam", video, detector), attention=Attention(regions=0))
    pipeline = CameraPipeline(once, detector, SystemClock())
    closer = CameraPipeline(camera("cam", video, detector), detector, SystemClock())
    letterbox = Letterbox(detector.decoder.wants)
    spent: dict[str, list[tuple[float, float]]] = {
        name: [] for name in ("read", "bare", "detect", "pipeline", "closer")
    }
    with FileSource(video, fps=30.0, speed="max", clock=SystemClock()) as source:
        while len(spent["read"]) < count:
            started = now()
            frame = source.read(1.0)
            if frame is None:
                break
            spent["read"].append(since(started))
            tensor = np.array(letterbox.fill(frame.image)[0])
            turns: list[tuple[str, Callable[[], object]]] = [
                ("bare", partial(session.run, tensor)),
                ("detect", partial(detector.detect, frame.image)),
                ("pipeline", partial(pipeline.process, frame)),
                ("closer", partial(closer.process, frame)),
            ]
            first = len(spent["read"]) % len(turns)
            for name, action in turns[first:] + turns[:first]:
                started = now()
                action()
                spent[name].append(since(started))
    result: dict[str, float] = {"frames": len(spent["read"])}
    for which, clock in enumerate(("cpu", "wall")):
        ms = {
            name: statistics.median(one[which] for one in values) * 1000
            for name, values in spent.items()
        }
        result |= {f"{name}_{clock}_ms": round(value, 3) for name, value in ms.items()}
        result[f"detect_over_bare_{clock}"] = round(ms["detect"] / ms["bare"], 3)
        whole = ms["read"] + ms["pipeline"]
        result[f"whole_over_bare_{clock}"] = round(whole / ms["bare"], 3)
    return result


def load(model: str) -> tuple[OnnxDetector, OnnxSession]:
    """Return a detector, and the very session it runs on."""
    path, _ = find_file(model, open_book())
    session = open_session(path)
    decoder = decoder_for(session.signature, where=str(path))
    names = class_names(session.metadata, decoder.classes)
    assert names is not None
    warm_up(session, decoder.wants)
    return OnnxDetector(session, decoder, names, session.model("bench"), FLOOR), session


def camera(name: str, video: Path, detector: OnnxDetector, fps: float = 5.0) -> Camera:
    """Return a camera in whose whole picture each person begins an event at once."""
    label = "person" if "person" in detector.names else detector.names[0]
    scenario = Scenario(
        event="somebody", labels=(label,), zone="whole", votes=1, of=1, dwell=0.0,
        gone_after=0.5, cooldown=0.0,
    )  # fmt: skip
    return Camera(
        id=name, label=name, source=str(video), fps=fps, zone=(WHOLE,), scenario=(scenario,)
    )


def now() -> tuple[float, float]:
    """Return processor time of this thread and the clock, in seconds."""
    return time.thread_time(), time.perf_counter()


def since(started: tuple[float, float]) -> tuple[float, float]:
    cpu, wall = now()
    return cpu - started[0], wall - started[1]
