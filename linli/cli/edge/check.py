"""`linli edge check`: whether a start would work."""

from __future__ import annotations

import random
from pathlib import Path

import click

from edge.agent.build import link_options, load_pool, taught_places
from edge.agent.guide import guide_point
from edge.agent.host import settings_now
from edge.health import clock_sync
from edge.scene import Scene
from edge.sensors.known import known_sensors
from edge.settings import Camera
from edge.source.sources import source_of
from edge.speech.speaker import speaker_of
from linli.cli.edge.options import config_option
from linli.cli.edge.status import clock_note
from linli.clock import SystemClock
from linli.errors import InputError
from linli.settings import make_folder

FRAME_PATIENCE = 10.0


@click.command(epilog="Example: linli edge check --config edge.toml")
@config_option
def check(config: Path) -> None:
    """Try settings, folder, model and each source, without sending anything."""
    settings, version = settings_now(config)
    link_options(settings)
    settings.ingest_key()
    make_folder(settings.folder)
    click.echo(f"{config}: good" + (f", over version {version} of the ingest" * bool(version)))
    click.echo(f"clock {SystemClock().now():%F %T} UTC{clock_note(clock_sync())}")
    if any(camera.guide is None for camera in settings.camera):
        model = load_pool(settings, SystemClock()).model
        click.echo(f"model {model.name} {model.version}: runs")
    if settings.sensor:
        known = known_sensors(settings.sensor_source, settings.sensor)
        click.echo(f"sensors: {len(known)}, their mappings are good")
    for speaker in settings.speaker:
        click.echo(f"speaker {speaker.id}: {speaker_of(speaker.player, speaker.output).far_end}")
    failed: list[InputError] = []
    for camera in settings.camera:
        try:
            if camera.guide is not None:
                _, model = guide_point(camera.guide, SystemClock())
                click.echo(f"model {model.name} {model.version}: runs")
            Scene(taught_places(camera))
            click.echo(f"camera {camera.id}: {_first_frame(camera)}")
            if camera.evidence_source is not None:
                click.echo(f"camera {camera.id}: main stream {_main_frame(camera)}")
        except InputError as error:
            click.echo(f"camera {camera.id}: {error}", err=True)
            failed.append(error)
    if failed:
        raise InputError(
            f"{len(failed)} of {len(settings.camera)} cameras cannot be used", where=str(config)
        )


def _first_frame(camera: Camera) -> str:
    clock = SystemClock()
    with source_of(camera, clock, random.random) as source:
        deadline = clock.monotonic() + FRAME_PATIENCE
        while clock.monotonic() < deadline:
            frame = source.read(0.2)
            if frame is not None:
                height, width = frame.image.shape[:2]
                return f"{width}x{height}"
        raise InputError(source.detail or "no frame came")


def _main_frame(camera: Camera) -> str:
    clock = SystemClock()
    with source_of(camera, clock, random.random) as source:
        deadline = clock.monotonic() + FRAME_PATIENCE
        while clock.monotonic() < deadline:
            frame = source.read(0.2)
            finer = frame.finer() if frame is not None and frame.finer is not None else None
            if finer is not None:
                height, width = finer.shape[:2]
                return f"{width}x{height}"
        why = source.detail or "no picture came from the main stream"
        raise InputError(why)
