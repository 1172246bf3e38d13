"""One demo from start to account: the parts come up, the video plays, every event is looked for."""

from __future__ import annotations

import time
from typing import Any

import click

from linli.cli.demo.access import ADMIN, give_access
from linli.cli.demo.files import DemoFiles
from linli.cli.demo.summary import Summary, latency
from linli.cli.demo.watch import Watcher
from linli.cli.demo.world import World
from linli.clock import SystemClock
from linli.errors import InputError
from linli.process import StopSignal

SETTLE = 20.0


def play(
    files: DemoFiles, stop: StopSignal, *, duration: float | None, until_end: bool, kept: bool
) -> tuple[Summary, bool]:
    """Run one demo; return its account and whether the edge ended well. Ctrl-C ends it too."""
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
        before = int(watcher.stats()["rejected"])
        world.start_edge(duration)
        code = _wait_for_edge(world, stop)
        if code == InputError.exit_code:
            raise SystemExit(code)  # the edge has said in its own line what to mend
        _settle(world, watcher, stop)
        summary = _account(world, watcher, rejected_before=before)
        _say_summary(summary)
        if code and not stop.is_set():
            _say(f"  边缘端异常结束 the edge ended with code {code}")
        elif not until_end and not stop.is_set():
            _say("视频已播完，看板仍在运行；按 Ctrl-C 结束 Video over, dashboard up; Ctrl-C ends")
            while not stop.wait(0.5):
                world.poll()
        return summary, code == 0
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


def _account(world: World, watcher: Watcher, *, rejected_before: int) -> Summary:
    captured, edge = world.captured(), world.edge_summary()
    stored, visible, stats = watcher.stored(), watcher.visible(), watcher.stats()
    kept = len(stored & set(captured))
    rejected = int(stats["rejected"]) - rejected_before
    unsaved = int(edge.get("events_lost", 0))
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
        events_produced=len(captured) + unsaved,
        events_stored=kept,
        duplicates=int(stats["duplicates"]),
        lost=max(0, len(captured) - kept - rejected) + unsaved,
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
