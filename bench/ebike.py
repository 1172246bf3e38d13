"""The e-bike session on photographs: which would hold a lift's door, and which begin an event.

    python bench/ebike.py [--frames 25] [--doubt SECONDS] [--json]

Each photograph of ../shared is held before a camera for some seconds, shaken and with noise, and
goes through the pack `ebike-in-elevator` with the whole picture as its zone. `--doubt 0` shows what
becomes of them when nothing remembers what was called something else.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from edge.catalog.load import load_model
from edge.detect.detector import Detector
from edge.facts import DoorFact
from edge.pipeline import CameraPipeline
from edge.replay.course import Story
from edge.replay.held import HeldDoor, held_door
from edge.settings import Camera
from edge.source.frame import Frame, Image
from linli.clock import ManualClock
from linli.door_config import Door, HttpRelay
from linli.edge_config import EdgeConfig
from linli.packs import completed
from linli.settings import convert

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared/data"
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
FPS = 5.0
BICYCLE, MOTORCYCLE, LUGGAGE = 1, 3, {24, 26, 28}  # of COCO
DOOR = Door(
    id="lift-1",
    label="l",
    relay=HttpRelay(hold="http://192.0.2.1/?t={seconds}", release="http://192.0.2.1/"),
)


@dataclass
class Shown:
    """Seconds that the door was held, and after how many it began, if it did."""

    held: float
    begun: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--doubt", type=float, help="instead of the pack's")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    detector = load_model("builtin")
    over = {} if args.doubt is None else {"doubt": args.doubt}
    for name, pictures in sets():
        row = figures(name, [play(path, detector, args.frames, over) for path in pictures])
        print(json.dumps(row) if args.json else " ".join(f"{k}={v}" for k, v in row.items()))


def figures(name: str, shown: list[Shown]) -> dict[str, object]:
    begun = sorted(one.begun for one in shown if one.begun is not None)
    doubted = [one.held for one in shown if one.held > 0 and one.begun is None]
    return {
        "what": name,
        "pictures": len(shown),
        "held": sum(one.held > 0 for one in shown),
        "begun": len(begun),
        "begun_median_s": round(begun[len(begun) // 2], 1) if begun else None,
        "begun_last_s": round(begun[-1], 1) if begun else None,
        "held_for_nothing": len(doubted),
        "held_for_nothing_most_s": round(max(doubted), 1) if doubted else None,
    }


def sets() -> list[tuple[str, list[Path]]]:
    """Return pictures by what is on them."""
    found = [
        ("e-bikes in lifts", sorted((DATA / "elevator-ebike-dev/images").glob("*.jpg"))),
        ("wheelchairs", sorted((DATA / "wheelchair-dev/images").glob("*.jpg"))),
    ]
    coco: dict[str, list[Path]] = {"bicycles": [], "luggage": []}
    folder = DATA / "coco-val128"  # what the detector was trained with lies beside it
    for label in sorted((folder / "labels").glob("*.txt")):
        kinds = {int(line.split()[0]) for line in label.read_text().splitlines() if line}
        image = folder / "images" / f"{label.stem}.jpg"
        if MOTORCYCLE in kinds or not image.exists():  # a motorcycle counts as an e-bike
            continue
        if BICYCLE in kinds:
            coco["bicycles"].append(image)
        elif kinds & LUGGAGE:
            coco["luggage"].append(image)
    return found + list(coco.items())


def play(path: Path, detector: Detector, frames: int, over: dict[str, float]) -> Shown:
    """Return what becomes of a photograph held before the camera, some settings `over` the pack."""
    scenario = {"pack": "ebike-in-elevator", "zone": "all", "door": "lift-1", **over}
    zone = {"id": "all", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}
    camera = {"id": "c", "label": "c", "source": "x", "zone": [zone], "scenario": [scenario]}
    document = completed({"camera": [camera]}, "bench")
    one: Camera = convert(document | {"door": [door()]}, EdgeConfig, where="bench").camera[0]
    pipeline = CameraPipeline(one, detector, ManualClock(START))
    story, held = Story(one.scenario[0]), held_door(DOOR)
    random = np.random.default_rng(7)
    read = cv2.imread(str(path))
    assert read is not None
    image = np.asarray(read, np.uint8)
    for number in range(frames):
        now = number / FPS
        time = START + timedelta(seconds=now)
        facts = pipeline.process(Frame(shaken(image, random), number, now, time, time))
        story.see(pipeline.looks()[0], now, detector.names)
        held.see((fact for fact in facts if isinstance(fact, DoorFact)), now)
    return Shown(
        seconds(held, frames / FPS),
        min((c.begun for c in story.begun if c.begun is not None), default=None),
    )


def door() -> dict[str, object]:
    return {
        "id": "lift-1",
        "label": "l",
        "relay": {
            "kind": "http",
            "hold": "http://192.0.2.1/?t={seconds}",
            "release": "http://192.0.2.1/",
        },
    }


def seconds(held: HeldDoor, end: float) -> float:
    return sum((one.end if one.end is not None else end) - one.start for one in held.holds)


def shaken(image: Image, random: np.random.Generator) -> Image:
    """Return the picture as a camera on a rattling wall sees it: moved by pixels, with noise."""
    dx, dy = random.normal(0, 2, 2)
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    noise = random.normal(0, 5, image.shape)
    return np.clip(moved + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
