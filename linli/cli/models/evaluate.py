"""`linli models eval`: how good a model is, measured on labelled pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import click

from edge.catalog.load import load_any
from edge.detect.detector import SURE, OnnxDetector
from linli.cli.models.classification.run import evaluate_classifier
from linli.cli.models.evaluation.curves import curves
from linli.cli.models.evaluation.folder import read_labelled
from linli.cli.models.evaluation.measure import Result, measure
from linli.cli.models.evaluation.names import Vocabulary, vocabulary
from linli.cli.models.evaluation.people import PERSON, People
from linli.cli.models.evaluation.report import document, table
from linli.cli.models.evaluation.sheet import contact_sheet
from linli.cli.models.evaluation.thresholds import thresholds
from linli.errors import InputError

FLOOR = 0.01
_DIGITS = 4  # of a threshold; more are of its binary form alone
_MOST_NAMED = 10
CURVES, MISTAKES = "curves.png", "mistakes.jpg"


def _a_number(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which no range excludes
        raise click.BadParameter("must be a number", context, parameter)
    return value


@click.command(
    name="eval",
    epilog="Examples: linli models eval yolox_nano.onnx photographs --json · "
    "linli models eval builtin photographs --iou 0.3 --threshold ebike=0.4 --pictures report",
)
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="COCO labels (JSON)  [default: labels/, or the one .json of FOLDER]",
)
@click.option(
    "--iou",
    type=click.FloatRange(0, 1, min_open=True),
    callback=_a_number,
    default=0.5,
    show_default=True,
    help="Overlap from which an object counts as found.",
)
@click.option(
    "--threshold",
    "given",
    multiple=True,
    metavar="[CLASS=]SCORE",
    help="Score from which a class counts as said; repeat for more  "
    f"[default: the catalogue's, else {SURE}]",
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Save {CURVES} (precision over recall) and {MISTAKES} (the worst ones) there.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of one inference.",
)
def evaluate(
    model: str,
    folder: Path,
    labels: Path | None,
    iou: float,
    given: tuple[str, ...],
    pictures: Path | None,
    as_json: bool,
    threads: int,
) -> None:
    """Measure MODEL on the labelled pictures of FOLDER, as COCO does.

    MODEL is an ONNX file or a name of the catalogue, such as builtin.

    FOLDER holds images/ and labels/ (YOLO text: class x y width height, 0..1) with a classes.txt
    that names the classes, one a line (without it they are COCO's 80), or pictures with COCO labels
    in one .json.

    AP and AP50 are over scores from 0.01 and at most 100 boxes a picture; precision, recall and the
    counts are at each class's threshold and at --iou. A class of the model that the labels lack is
    counted too: all that is said of it is false. Heads of people are hidden in saved pictures.

    For a classifier FOLDER holds one sub-folder of pictures for each class, by its name; pictures
    in others are of other things, which it should call unknown.
    """
    loaded = load_any(model, threads=threads, name="measured", floor=FLOOR)
    if isinstance(loaded, OnnxDetector):
        lines = _of_detector(loaded, folder, labels, iou, given, pictures, as_json=as_json)
    elif labels is None and pictures is None:
        lines = evaluate_classifier(loaded, folder, given, _say, as_json=as_json)
    else:
        raise InputError("--labels and --pictures are for detectors", where=model)
    for line in lines:
        click.echo(line)


def _of_detector(
    detector: OnnxDetector,
    folder: Path,
    labels: Path | None,
    iou: float,
    given: tuple[str, ...],
    pictures: Path | None,
    *,
    as_json: bool,
) -> Iterator[str]:
    """Measure, save what is asked for, and give the lines to print."""
    labelled = read_labelled(folder, labels)
    words = vocabulary(labelled.names, detector.names, labelled.named_by)
    shipped = detector.thresholds.astype(float).round(_DIGITS).tolist()
    least = thresholds(given, words, dict(zip(detector.names, shipped, strict=True)), least=FLOOR)
    if pictures is not None:
        _prepare(pictures)
    result = measure(detector, labelled, words, least, iou, _say)
    absent = [name for name, each in result.classes.items() if each.threshold is None]
    if absent:
        _say(
            f"the model has no class {', '.join(absent)}: these objects count as not found. "
            f"Its classes: {_some(detector.names)}"
        )
    if pictures is not None:
        _save(pictures, result, words, People(detector, labelled, words, least.get(PERSON, SURE)))
    if as_json:
        yield json.dumps(document(result), ensure_ascii=False)
    else:
        yield from table(result)


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _prepare(folder: Path) -> None:
    """Make the folder before the long work, so that it is not for nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CURVES, MISTAKES):  # not to be taken for those of this run
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(folder)) from None


def _save(folder: Path, result: Result, words: Vocabulary, people: People) -> None:
    drawn_as = {
        name: name if name.isascii() else known or f"class {number}"
        for number, (name, known) in enumerate(zip(words.names, words.known, strict=True))
    }
    drawn = {
        CURVES: curves(result, drawn_as),
        MISTAKES: contact_sheet(result, people.boxes, drawn_as),
    }
    for name, picture in drawn.items():
        if picture is None:
            _say("no mistake to show")
            continue
        try:
            (folder / name).write_bytes(picture)
        except OSError as error:
            raise InputError(
                f"cannot be written ({error.strerror})", where=str(folder / name)
            ) from None
        _say(f"saved {folder / name}")
    if drawn[MISTAKES] is not None and not people.known:
        _say("neither the model nor the labels know a person: no head is hidden")


def _say(line: str) -> None:
    click.echo(line, err=True)
