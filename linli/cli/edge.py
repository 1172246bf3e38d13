"""`linli edge`: run beside cameras, or check that the settings would."""

from __future__ import annotations

import json
import random
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
import msgspec

from edge.agent import Agent
from edge.agent.agent import Tell
from edge.agent.build import link_options, load_pool, taught_places
from edge.agent.guide import guide_point
from edge.agent.host import Host, Say, settings_now
from edge.scene import Scene
from edge.sensors.known import known_sensors
from edge.settings import Camera, EdgeSettings
from edge.source.sources import source_of
from linli.cli.sensors import sensors
from linli.clock import SystemClock
from linli.errors import InputError
from linli.packs import packs as all_packs
from linli.packs import written
from linli.process import StopSignal
from linli.settings import make_folder

FRAME_PATIENCE = 10.0

_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    help="The edge's settings, such as edge.toml.",
)


@click.group()
def command() -> None:
    """Run beside cameras and sensors."""


@command.command(epilog="Example: linli edge run --config edge.toml")
@_config
@click.option("--json", "as_json", is_flag=True, help="Say what happens as JSON lines.")
@click.option("--duration", type=click.FloatRange(min=0), help="Seconds from the first frame.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds to wait at the end until the ingest has everything.",
)
def run(config: Path, as_json: bool, duration: float | None, drain: float) -> None:
    """Watch the cameras and deliver what they see, until stopped or all files are played.

    What to watch is in the settings, or comes from the ingest that they name; when it changes
    there, the cameras start again with it.
    """
    stop = StopSignal()
    stop.install()
    mouth = _Mouth(stop) if as_json else None

    def make(settings: EdgeSettings, running: Say) -> _Run:
        tell: Tell = mouth.say if mouth else lambda _said: None
        agent = Agent(settings, SystemClock(), version=_version(), tell=tell, config=running)
        return _Run(agent, mouth, duration=duration, drain=drain)

    Host(config, make).run(stop)


@command.command(epilog="Example: linli edge check --config edge.toml")
@_config
def check(config: Path) -> None:
    """Try settings, folder, model and each source, without sending anything."""
    settings, version = settings_now(config)
    link_options(settings)
    settings.ingest_key()
    make_folder(settings.folder)
    click.echo(f"{config}: good" + (f", over version {version} of the ingest" * bool(version)))
    if any(camera.guide is None for camera in settings.camera):
        model = load_pool(settings, SystemClock()).model
        click.echo(f"model {model.name} {model.version}: runs")
    if settings.sensor:
        known = known_sensors(settings.sensor_source, settings.sensor)
        click.echo(f"sensors: {len(known)}, their mappings are good")
    failed: list[InputError] = []
    for camera in settings.camera:
        try:
            if camera.guide is not None:
                _, model = guide_point(camera.guide, SystemClock())
                click.echo(f"model {model.name} {model.version}: runs")
            Scene(taught_places(camera))
            click.echo(f"camera {camera.id}: {_first_frame(camera)}")
        except InputError as error:
            click.echo(f"camera {camera.id}: {error}", err=True)
            failed.append(error)
    if failed:
        raise InputError(
            f"{len(failed)} of {len(settings.camera)} cameras cannot be used", where=str(config)
        )


@command.command(epilog="Example: linli edge packs ebike-in-elevator")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def packs(name: str | None, *, as_json: bool) -> None:
    """List the scenarios that Linli brings, or show one with its settings and their reasons."""
    found = all_packs()
    if name is not None and name not in found:
        raise InputError(
            f"there is no pack {name!r}", where="NAME", hint=f"There is: {', '.join(found)}"
        )
    chosen = {name: found[name]} if name is not None else found
    if as_json:
        said = {key: msgspec.to_builtins(pack) for key, pack in chosen.items()}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    elif name is not None:
        click.echo(written(name), nl=False)
    else:
        for key, pack in found.items():
            click.echo(f"{key}\n  {pack.title.zh} / {pack.title.en}\n  {pack.means.en}")


command.add_command(sensors)


def _first_frame(camera: Camera) -> str:
    clock = SystemClock()
    with source_of(camera, clock, random.random) as source:
        deadline = clock.monotonic() + FRAME_PATIENCE
        while clock.monotonic() < deadline:
            frame = source.read(0.2)
            if frame is not None:
                height, width = frame.image.shape[:2]
                return f"{width}x{height}"
        raise InputError(source.detail or "no frame came", where=camera.id)


class _Run:
    """An agent's life under its host."""

    def __init__(
        self, agent: Agent, mouth: _Mouth | None, *, duration: float | None, drain: float
    ) -> None:
        self._agent = agent
        self._mouth = mouth
        self._duration = duration
        self._drain = drain

    def __enter__(self) -> Self:
        """Start the agent."""
        self._agent.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._agent.__exit__(kind, error, trace)

    def run(self, stop: StopSignal) -> None:
        """Let it work until told to stop."""
        self._agent.run(stop, duration=self._duration, drain=self._drain)

    def end(self) -> None:
        """Say what it saw, and fail when something was lost."""
        if self._mouth:
            self._mouth.say(self._agent.summary())
        self._agent.verdict()


class _Mouth:
    """Writes one JSON object per line to standard output; ends the agent when nobody listens."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._lock = threading.Lock()

    def say(self, said: dict[str, Any]) -> None:
        """Write a line, whole, at once."""
        line = json.dumps(said, ensure_ascii=False) + "\n"
        with self._lock:
            try:
                sys.stdout.write(line)
                sys.stdout.flush()
            except BrokenPipeError:
                self._stop.set()


def _version() -> str:
    try:
        return version("linli")
    except PackageNotFoundError:
        return "0"
