"""The command: what it takes, what it says, and when it ends."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from linli.broker import free_port, port_is_free
from linli.cli.demo.access import ADMIN, give_access
from linli.cli.demo.files import DemoFiles, write_files
from linli.cli.demo.inputs import find_inputs
from linli.cli.demo.summary import Summary, as_json, latency
from linli.cli.demo.watch import Watcher
from linli.cli.demo.world import World
from linli.clock import SystemClock
from linli.errors import InputError
from linli.process import StopSignal

HOST = "127.0.0.1"
PORT = 8470
SETTLE = 20.0


class _Speed(click.ParamType[str]):
    name = "N|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "max":
            return "max"
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0.1 <= number <= 100:
            self.fail(f"must be a number from 0.1 to 100, or max, not {value!r}", param, ctx)
        return str(number)


@click.command(
    short_help="Run everything on this machine and show the address.",
    epilog="Examples: linli demo --video street.mp4 --model yolox_nano.onnx · "
    "linli demo --speed max --json",
)
@click.option("--video", metavar="FILE|rtsp://…", help="What the camera sees.")
@click.option("--model", type=click.Path(path_type=Path), help="ONNX detection model.")
@click.option(
    "--duration", type=click.FloatRange(min=0.1), help="End S seconds after the first frame."
)
@click.option(
    "--speed", type=_Speed(), default="1", show_default=True, help="Pace of a video file."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Keep the data here, and go on there."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"Web port; 0 takes a free one. [{PORT}]"
)
@click.option("--json", "as_json_", is_flag=True, help="End with the video; print one JSON object.")
def command(
    video: str | None,
    model: Path | None,
    duration: float | None,
    speed: str,
    data: Path | None,
    port: int | None,
    as_json_: bool,
) -> None:
    """Run broker, ingest, dashboard and one edge on this machine; Ctrl-C ends all of it."""
    inputs = find_inputs(video, model)
    chosen = _choose_port(port)
    stop = StopSignal()
    stop.install()
    with _folder(data) as folder:
        files = write_files(folder, inputs, chosen, speed)
        until_end = as_json_ or duration is not None
        summary = _run(files, stop, duration=duration, until_end=until_end, kept=data is not None)
    if as_json_:
        click.echo(json.dumps(as_json(summary)))
    if not summary.whole and (as_json_ or not stop.is_set()):
        raise SystemExit(1)


def _choose_port(port: int | None) -> int:
    if port:
        if not port_is_free(HOST, port):
            raise InputError(
                f"port {port} is in use",
                where=f"{HOST}:{port}",
                hint="Choose another with --port, or --port 0 for a free one",
            )
        return port
    return PORT if port is None and port_is_free(HOST, PORT) else free_port(HOST)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="linli-demo-") as temporary:
        yield Path(temporary)


def _run(
    files: DemoFiles, stop: StopSignal, *, duration: float | None, until_end: bool, kept: bool
) -> Summary:
    clock = SystemClock()
    access = give_access(files, clock.now())
    world = World(files, clock, stop)
    watcher = Watcher(files.url, access.token, clock)
    try:
        _say("邻里 Linli: 正在启动 starting …")
        world.start_services()
        _greet(files, access.password, kept=kept)
        watcher.start()
        world.on_event = _say_event
        world.start_edge(duration)
        code = _wait_for_edge(world, stop)
        if code == InputError.exit_code:
            raise SystemExit(code)  # the edge has said in its own line what to mend
        _settle(world, watcher, stop)
        summary = _account(world, watcher)
        _say_summary(summary)
        if not until_end:
            _say("视频已播完，看板仍在运行；按 Ctrl-C 结束 Video over, dashboard up; Ctrl-C ends")
            while not stop.wait(0.5):
                world.poll()
        return summary
    finally:
        watcher.stop()
        world.close()


def _wait_for_edge(world: World, stop: StopSignal) -> int:
    """Wait until the edge has ended by itself, or has drained after Ctrl-C."""
    while (code := world.poll()) is None:
        if stop.wait(0.1):
            break
    if code is not None:
        return code
    world.end_edge()
    patience = SystemClock().monotonic() + SETTLE
    while (code := world.poll()) is None and SystemClock().monotonic() < patience:
        time.sleep(0.1)
    return code or 0


def _settle(world: World, watcher: Watcher, stop: StopSignal) -> None:
    """Give the API the moment it needs to show what the edge knows to be stored."""
    produced = set(world.captured())
    clock = SystemClock()
    patience = clock.monotonic() + (SETTLE if not stop.is_set() else 2.0)
    while clock.monotonic() < patience:
        behind = watcher.stats()["behind"]
        if produced <= watcher.stored() and not any(behind.values()):
            return
        time.sleep(0.1)


def _account(world: World, watcher: Watcher) -> Summary:
    captured, edge = world.captured(), world.edge_summary()
    stored, visible, stats = watcher.stored(), watcher.visible(), watcher.stats()
    kept = len(stored & set(captured))
    rejected = int(stats["rejected"])
    delays = [
        (visible[event] - moment).total_seconds()
        for event, moment in captured.items()
        if event in visible
    ]
    return Summary(
        frames_read=edge.get("frames_read", 0),
        frames_inferred=edge.get("frames_inferred", 0),
        detections=edge.get("detections", 0),
        tracks=edge.get("tracks", 0),
        events_produced=len(captured),
        events_stored=kept,
        duplicates=int(stats["duplicates"]),
        lost=max(0, len(captured) - kept - rejected),
        rejected=rejected,
        incidents=int(stats["incidents"]),
        latency_ms=latency(delays),
        rss_mb=world.rss_mb(),
    )


def _greet(files: DemoFiles, password: str | None, *, kept: bool) -> None:
    _say("")
    _say(f"  看板 Dashboard  {files.url}/")
    _say(f"  用户 User       {ADMIN}")
    if password is None:
        _say("  密码 Password   首次启动时显示的那个 the one shown at the first start")
    else:
        _say(f"  密码 Password   {password}   (只显示这一次 shown this once)")
    removal = "保留 kept" if kept else "结束时删除 removed at the end"
    _say(f"  数据 Data       {files.folder}   ({removal})")
    _say("  结束 Stop       Ctrl-C")
    _say("")


def _say_event(event: dict[str, Any]) -> None:
    phase = {"begin": "开始 begins", "end": "结束 ends"}.get(event["phase"], event["phase"])
    _say(f"  {event['time'][11:19]}  {event['event']}  {phase}")


def _say_summary(summary: Summary) -> None:
    p95 = summary.latency_ms.p95
    delay = "" if p95 is None else f"，延迟 latency p95 {p95:.0f} ms"
    _say(
        f"  产生 produced {summary.events_produced}，留存 stored {summary.events_stored}，"
        f"丢失 lost {summary.lost}，事件单 incidents {summary.incidents}{delay}"
    )


def _say(text: str) -> None:
    click.echo(text, err=True)
