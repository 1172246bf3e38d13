"""`linli states teach`: a folder of pictures per state becomes one small file."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from edge.geometry import Box
from edge.states.features import Image
from edge.states.lesson import Lesson, save
from edge.states.school import Photo, teach_photos
from edge.states.sheet import Tile, sheet, tile
from edge.states.teach import Taught, advice, check_examples
from linli.cli.states.pictures import CropType, folders_of_states, write_picture
from linli.clock import SystemClock
from linli.errors import InputError

_WHOLE = "0,0,1,1"


@click.command(
    name="teach",
    epilog="Example: linli states teach bin-3 --crop 0.26,0.12,0.74,0.9 --out bin-3.states.json",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--crop",
    type=CropType(),
    default=_WHOLE,
    show_default=True,
    help="The place in each picture, in 0..1: the thing and a little around it.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The file to write, any name."
)
@click.option(
    "--sheet",
    "sheet_path",
    type=click.Path(path_type=Path),
    help="Also draw the examples here, as JPEG.",
)
@click.option("--force", is_flag=True, help="Write the file even when a state was never known.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def teach_states(
    folder: Path, crop: Box, out: Path, sheet_path: Path | None, force: bool, as_json: bool
) -> None:
    """Learn states from FOLDER, which holds a folder of pictures for each.

    The pictures are whole ones of one camera that does not move, six to ten of each state, taken
    at different hours: FOLDER/empty/1.jpg, FOLDER/full/1.jpg and so on. For a lamp teach `on` and
    `off`; flickering is then seen by itself. The file holds numbers, no picture.
    """
    files = folders_of_states(folder)
    check_examples(files)
    started = time.monotonic()
    photos = {state: [_photo(path) for path in paths] for state, paths in files.items()}
    schooled = teach_photos(photos, crop, SystemClock().now(), _progress)
    taught, never = schooled.taught, schooled.never_known
    written = out if force or not never else None
    if written is not None:
        save(taught.lesson, written)
    seconds = time.monotonic() - started
    odd = [(state, files[state][number]) for state, number in taught.odd]
    if sheet_path is not None:
        write_picture(_sheet(schooled.images, taught), sheet_path)
    if as_json:
        click.echo(json.dumps(_document(taught.lesson, odd, written, seconds), ensure_ascii=False))
    else:
        _tell(taught.lesson, odd, written, seconds)
    if written is None:
        raise InputError(
            "not written: none of its pictures was known when left out",
            where=", ".join(never),
            hint="Add pictures, or choose the place anew; --force writes the file all the same",
        )


def _photo(path: Path) -> Photo:
    try:
        return Photo(str(path), path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done * 100 // total} %", err=True, nl=done == total)


def _tell(lesson: Lesson, odd: list[tuple[str, Path]], out: Path | None, seconds: float) -> None:
    for one in lesson.states:
        known = one.taken_for.get(one.state, 0)
        click.echo(f"{one.state:<14} {known} of {one.pictures} known when left out")
    for state, words in advice(lesson):
        click.echo(f"{state}: {words}")
    for state, path in odd:
        click.echo(
            f"{path}: unlike the others of {state}. Take it out if somebody is in front; if only "
            "the light is new, add another like it"
        )
    if lesson.is_lamp:
        click.echo("a lamp: flickering is seen by itself, up to half the camera's frame rate")
    if out is not None:
        click.echo(f"{out}: {out.stat().st_size / 1000:.0f} kB, taught in {seconds:.1f} s")


def _document(
    lesson: Lesson, odd: list[tuple[str, Path]], out: Path | None, seconds: float
) -> dict[str, Any]:
    return {
        "file": str(out) if out else None,
        "bytes": out.stat().st_size if out else None,
        "seconds": round(seconds, 2),
        "crop": lesson.crop,
        "states": [
            {
                "state": one.state,
                "pictures": one.pictures,
                "known": one.known,
                "taken_for": one.taken_for,
                "advice": [words for state, words in advice(lesson) if state == one.state],
            }
            for one in lesson.states
        ],
        "odd": [{"state": state, "picture": str(path)} for state, path in odd],
        "flickering": lesson.is_lamp,
    }


def _sheet(examples: Mapping[str, Sequence[Image]], taught: Taught) -> Image:
    tiles: list[Tile] = []
    for state, images in examples.items():
        for number, image in enumerate(images):
            odd = (state, number) in taught.odd
            caption = f"{state} {number + 1}" + (" unlike the others" if odd else "")
            tiles.append(tile(image, taught.lesson.crop, caption, good=not odd))
    return sheet(tiles)
