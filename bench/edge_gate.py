"""A quiet camera, gated and not: what it costs, and whether the same happens in both."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from edge_frame import WHOLE

from edge.catalog.load import load_model
from edge.facts import EpisodeFact
from edge.pipeline import CameraPipeline
from edge.settings import Attention, Camera, Scenario, Zone
from edge.source.file import FileSource
from linli.clock import SystemClock

FPS = 5.0
RATE = 10  # of the clip that is filmed
EMPTY = 2.0  # second of the clip at which nobody is there
PASSES = ((22.4, 45.0), (74.2, 86.8))  # seconds in which one comes, goes through and leaves
STANDS = 40.0  # seconds that each of them stands still in the middle
MOVING = 0.1  # share of the time in which something moves
GRAIN = 2.0  # of 255: the noise of a sensor, without which a still picture would be too easy
MIDDLE = Zone(id="middle", points=((0.25, 0), (0.75, 0), (0.75, 1), (0.25, 1)))
DWELLS = (0.0, 2.0, 5.0, 20.0)
SOON = 2.0  # seconds within which a beginning is the same one
Image = npt.NDArray[np.uint8]


def film(video: Path, target: Path) -> float:
    """Make a clip of MOVING from one in which somebody always walks; return its seconds.

    Two people come, stand still for long, and leave; between them the place is empty.
    """
    source = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)
    shots: list[Image] = []
    while (read := source.read())[0]:
        shots.append(np.asarray(read[1], np.uint8))
    empty = shots[round(EMPTY * RATE)]
    still = sum(stop - start for start, stop in PASSES) * (1 / MOVING - 1)
    pause = max(still - STANDS * len(PASSES), 0) / (len(PASSES) + 1)
    frames: list[Image] = [empty] * round(pause * RATE)
    for start, stop in PASSES:
        middle = round((start + stop) / 2 * RATE)
        frames += shots[round(start * RATE) : middle]
        frames += [shots[middle]] * round(STANDS * RATE)
        frames += shots[middle : round(stop * RATE)] + [empty] * round(pause * RATE)
    rng = np.random.default_rng(1)
    grains = [rng.normal(0, GRAIN, empty.shape).astype(np.int16) for _ in range(8)]
    height, width = empty.shape[:2]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"}
        for number, frame in enumerate(frames):
            noisy = cv2.add(frame, grains[number * 5 % 8], dtype=cv2.CV_8U)
            picture = av.VideoFrame.from_ndarray(np.asarray(noisy, np.uint8), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return len(frames) / RATE


@dataclass
class Side:
    """One of the two that look at the same film."""

    pipeline: CameraPipeline
    source: FileSource
    cpu: float = 0.0
    frames: int = 0
    begins: list[tuple[str, float]] = field(default_factory=list)
    dwell: float = 0.0

    def step(self) -> bool:
        """Take one frame; tell whether there was one."""
        started = time.thread_time()
        frame = self.source.read(1.0)
        facts = self.pipeline.process(frame) if frame is not None else self.pipeline.finish()
        self.cpu += time.thread_time() - started
        self.frames += frame is not None
        for fact in facts:
            if not isinstance(fact, EpisodeFact):
                continue
            if fact.phase == "begin" and frame is not None:
                self.begins.append((fact.scenario.event, frame.media))
            elif fact.phase == "end":
                self.dwell += fact.dwell
        return frame is not None


def gated(film_of: Path, model: str) -> dict[str, Any]:
    """Play the film to a gated and an ungated pipeline, frame by frame in turns."""
    cv2.setNumThreads(1)
    detector = load_model(model)
    clock = SystemClock()
    make = partial(FileSource, film_of, fps=FPS, speed="max", clock=clock)
    with make() as first, make() as second:
        plain = Side(CameraPipeline(watched(film_of, gate=False), detector, clock), first)
        other = Side(CameraPipeline(watched(film_of, gate=True), detector, clock), second)
        turn = 0
        while all(side.step() for side in ((plain, other) if turn % 2 else (other, plain))):
            turn += 1
    found = matched(plain.begins, other.begins)
    return {
        "frames": plain.frames,
        "inferred_share": round(other.pipeline.counts.frames / plain.pipeline.counts.frames, 3),
        "ungated_cpu_ms": round(plain.cpu / plain.frames * 1000, 2),
        "gated_cpu_ms": round(other.cpu / other.frames * 1000, 2),
        "times_the_cameras": round(plain.cpu / other.cpu, 2),
        "events": len(plain.begins),
        "events_found": found,
        "events_more": len(other.begins) - found,
        "dwell_share": round(other.dwell / max(plain.dwell, 1e-9), 3),
    }


def matched(wanted: list[tuple[str, float]], given: list[tuple[str, float]]) -> int:
    """Return how many of the wanted beginnings are among the given, each once."""
    left = list(given)
    count = 0
    for event, when in wanted:
        near = next((one for one in left if one[0] == event and abs(one[1] - when) <= SOON), None)
        if near is not None:
            left.remove(near)
            count += 1
    return count


def watched(video: Path, *, gate: bool) -> Camera:
    """Return a camera with a scenario for each dwell and zone."""
    scenarios = [
        Scenario(
            event=f"{zone.id}-{dwell:.0f}",
            labels=("person",),
            zone=zone.id,
            dwell=dwell,
            cooldown=0.0,
        )
        for zone in (WHOLE, MIDDLE)
        for dwell in DWELLS
    ]
    return Camera(
        id="cam",
        label="cam",
        source=str(video),
        fps=FPS,
        speed="max",
        zone=(WHOLE, MIDDLE),
        scenario=tuple(scenarios),
        attention=Attention(gate=gate),
    )
