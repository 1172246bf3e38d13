"""A real `linli edge run` on a clip as so many cameras: what it took, what each camera got."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import numpy as np
import psutil
import tomlkit

from linli.broker import free_port
from linli.codec import decode_part
from linli.events import TelemetryMessage
from linli.process import linli_argv


@dataclass(frozen=True)
class Run:
    """`cpu` is processor seconds from the first frame to the end, `wall` the same by the clock."""

    cameras: int
    frames: int
    cpu: float
    wall: float
    rss_mb: float
    peak_mb: float
    events: int
    latency_ms: tuple[float, ...]
    fps_by_camera: dict[str, float]

    def plain(self) -> dict[str, float | int]:
        """Return what machines read; `least_share` is of the camera that got most."""
        each = list(self.fps_by_camera.values())
        slow = sorted(self.latency_ms) or [-1.0]
        return {
            "cameras": self.cameras,
            "frames": self.frames,
            "fps_a_camera": round(self.frames / self.wall / self.cameras, 2),
            "least_share": round(min(each) / max(each), 2),
            "cpu_ms_a_frame": round(self.cpu / self.frames * 1000, 2),
            "rss_mb": round(self.rss_mb, 1),
            "peak_mb": round(self.peak_mb, 1),
            "events": self.events,
            "latency_p50_ms": round(float(np.percentile(slow, 50)), 1),
            "latency_p95_ms": round(float(np.percentile(slow, 95)), 1),
        }


def run(
    video: Path,
    model: str,
    cameras: int,
    seconds: float,
    *,
    cores: Sequence[int] = (),
    events: bool = False,
) -> Run:
    """Run the edge without a broker for `seconds` after the first frame, on some cores only.

    Without `events` nothing happens, since somebody would have to stay for an hour.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "edge.toml").write_text(
            settings(video, model, cameras, 0.0 if events else 3600.0)
        )
        argv = linli_argv("edge", "run", "--config", str(folder / "edge.toml"), "--json")
        child = subprocess.Popen(
            [*argv, "--duration", str(seconds), "--drain", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if cores:  # before it has read its first module
            psutil.Process(child.pid).cpu_affinity(list(cores))
        assert child.stdout is not None
        try:
            return _watch(child, child.stdout, folder, cameras)
        finally:
            child.kill()
            child.wait()


def _watch(child: subprocess.Popen[str], lines: IO[str], folder: Path, cameras: int) -> Run:
    process = psutil.Process(child.pid)
    began: tuple[float, float] | None = None
    latency = []
    for line in lines:
        heard = datetime.now(UTC)
        said = json.loads(line)
        if said["kind"] == "camera" and said["state"] == "streaming" and began is None:
            began = spent(process), time.monotonic()
        elif said["kind"] == "event" and said["phase"] == "begin":
            captured = datetime.fromisoformat(said["captured"])
            latency.append((heard - captured).total_seconds() * 1000)
        elif said["kind"] == "summary":
            assert began is not None
            cpu, wall = spent(process) - began[0], time.monotonic() - began[1]
            rss, peak = process.memory_info().rss / 1e6, _peak(child.pid)
            child.wait()
            return Run(
                cameras=cameras,
                frames=said["frames_inferred"],
                cpu=cpu,
                wall=wall,
                rss_mb=rss,
                peak_mb=peak,
                events=said["events_produced"],
                latency_ms=tuple(latency),
                fps_by_camera=fps_by_camera(folder),
            )
    raise RuntimeError(f"the edge ended before its summary ({child.wait()})")


def spent(process: psutil.Process) -> float:
    """Return the processor seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def fps_by_camera(folder: Path) -> dict[str, float]:
    """Return how often a second each camera was looked at, by what the edge itself kept of it."""
    seen: dict[str, list[float]] = {}
    with contextlib.closing(sqlite3.connect(folder / "data" / "spool.db")) as spool:
        rows = spool.execute("SELECT topic, payload FROM row WHERE lane = 'telemetry'")
        for topic, payload in rows:
            readings = decode_part(payload, TelemetryMessage).data.readings
            seen.setdefault(topic, []).extend(float(one.v) for one in readings if one.n == "fps")
    # The last one is of the moment between a reading and the end.
    return {topic: statistics.mean(values[:-1] or values) for topic, values in seen.items()}


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def settings(video: Path, model: str, cameras: int, dwell: float) -> str:
    """Return an `edge.toml` in which each person who stays for `dwell` seconds is an event."""
    one = {
        "source": str(video),
        "fps": 5.0,
        "attention": {"regions": 0},  # one look at each frame, to be held against one inference
        "zone": [{"id": "whole", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}],
        "scenario": [
            {
                "event": "somebody", "labels": ["person"], "zone": "whole", "votes": 1, "of": 1,
                "dwell": dwell, "gone_after": 0.5, "cooldown": 0.0,
            }
        ],
    }  # fmt: skip
    return tomlkit.dumps(
        {
            "node": {"site": "bench", "area": "b1", "id": "edge"},
            "mqtt": {"port": free_port()},  # where nobody listens: the spool keeps everything
            "model": {"file": model},
            "camera": [{"id": f"cam{n}", "label": f"cam{n}", **one} for n in range(cameras)],
        }
    )
