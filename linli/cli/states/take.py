"""`linli states take`: an example from a camera of this edge, without anybody in it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import click
import numpy as np

from edge.agent.build import load_pool
from edge.detect.detections import chosen
from edge.detect.detector import Detector
from edge.geometry import Box, Floats, widened
from edge.redactor import PERSON
from edge.settings import Camera, camera_named, load_settings
from edge.source.frame import Frame
from edge.source.sources import source_of
from edge.states.features import Image
from edge.states.judge import hidden
from edge.states.teach import check_name
from linli.cli.states.pictures import CropType, write_picture
from linli.clock import SystemClock
from linli.errors import InputError
from linli.settings import make_folder

_MARGIN = 0.1  # of the place, kept around it: teaching shakes the crop a little


@click.command(
    epilog=(
        "Example: linli states take cam-yard full --crop 0.26,0.12,0.74,0.9 --into bin-3 "
        "--config edge.toml"
    )
)
@click.argument("camera")
@click.argument("state")
@click.option("--crop", type=CropType(), required=True, help="The place in the picture, in 0..1.")
@click.option(
    "--into", type=click.Path(path_type=Path), required=True, help="The folder for teaching."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    help="The edge's settings, such as edge.toml.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="Seconds to wait until nobody is at the place.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def take(
    camera: str, state: str, crop: Box, into: Path, config: Path, wait: float, as_json: bool
) -> None:
    """Take a picture with CAMERA that shows STATE, for teaching.

    Waits until nobody is at the place. Only the place is kept, all around it is black: no picture
    of people reaches the disk.
    """
    check_name(state, where="STATE")
    settings = load_settings(config)
    chosen_camera = camera_named(settings, camera)
    detector = load_pool(settings, SystemClock()).seat(1 / chosen_camera.fps)
    if PERSON not in detector.names:
        raise InputError(
            "this model knows no people, so nobody can tell when the place is free",
            where=settings.model.file,
            hint="Take the pictures by other means, or choose a model that knows people",
        )
    frame = _free_frame(chosen_camera, detector, crop, wait)
    folder = make_folder(into / state)
    path = folder / f"{frame.time:%Y%m%d-%H%M%S}.jpg"
    write_picture(only(frame.image, crop), path)
    click.echo(json.dumps({"file": str(path), "state": state}) if as_json else path)


def only(image: Image, crop: Box) -> Image:
    """Return a picture with everything black but a place and a margin around it."""
    height, width = image.shape[:2]
    left, top, right, bottom = np.clip(_kept(crop), 0, 1)
    rows = slice(int(top * height), int(np.ceil(bottom * height)))
    columns = slice(int(left * width), int(np.ceil(right * width)))
    shown = np.zeros_like(image)
    shown[rows, columns] = image[rows, columns]
    return shown


def _kept(crop: Box) -> Floats:
    kept: Floats = widened(np.array([crop]), _MARGIN)[0]
    return kept


def _free_frame(camera: Camera, detector: Detector, crop: Box, wait: float) -> Frame:
    """Return the first frame in which nobody touches what would be kept. Raises InputError."""
    clock = SystemClock()
    person = chosen(detector.names, [PERSON])
    left, top, right, bottom = _kept(crop).tolist()
    seen = False
    with source_of(camera, clock, random.random) as source:
        deadline = clock.monotonic() + wait
        while clock.monotonic() < deadline and source.state not in {"ended", "failed"}:
            frame = source.read(0.2)
            if frame is None:
                continue
            seen = True
            found = detector.detect(frame.image)
            if not hidden((left, top, right, bottom), found.boxes[person[found.classes]]):
                return frame
        if seen:
            raise InputError("somebody was there all the time", where=camera.id, hint="Try again")
        raise InputError(source.detail or "no frame came", where=camera.id)
