"""What teaching states is worth: rendered pictures in other light, with people, and moving light.

    .venv-render/bin/python models/render/states.py --thing bin --part teach --out PICTURES
    … and so on: docs/scene-states.md has the list
    python bench/states.py PICTURES --first 20 --json

Teaches each thing with its `teach` pictures and judges `test` pictures from number --first on (the
earlier ones were looked at while the method was made), each also as a camera that was knocked would
show it; then the `hour` of moving light, look by look, and lamps that flicker.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.geometry import Box, Floats
from edge.states.features import Image, patch_of
from edge.states.judge import Answer, Judge
from edge.states.lesson import FLICKERING
from edge.states.teach import teach
from edge.states.votes import Rules, Standing, vote
from edge.states.watch import StateWatch

CROPS = {
    "bin": (0.26, 0.12, 0.74, 0.9),
    "lid": (0.26, 0.12, 0.74, 0.9),
    "lamp": (0.37, 0.14, 0.63, 0.5),
}
CLEAR, HIDDEN = 0.02, 0.05  # share of the crop behind people
HOUR = 30.0  # seconds between two rendered pictures of the hour, by number
FPS, SECONDS = 5.0, 60.0
RATES = (0.5, 0.8, 1.2, 1.6, 2.0)
Say = Callable[[Image], str | None]


@dataclass(frozen=True)
class Shot:
    """A rendered picture with what is true of it."""

    image: Image
    number: int
    facts: dict[str, Any]

    @property
    def state(self) -> str:
        return str(self.facts["state"])

    @property
    def kind(self) -> str:
        if self.facts["dark"]:
            return "dark"
        hidden = self.facts["hidden"]
        return "clear" if hidden < CLEAR else "people" if hidden >= HIDDEN else "edge"


def shots(root: Path, thing: str, part: str) -> list[Shot]:
    found = []
    for path in sorted((root / thing / part).glob("*/*.json")):
        image = cv2.imread(str(path.with_suffix(".jpg")))
        if image is not None:
            facts = json.loads(path.read_text())
            found.append(Shot(np.asarray(image, np.uint8), int(path.stem), facts))
    return found


def by_state(found: list[Shot]) -> dict[str, list[Image]]:
    return {
        state: [shot.image for shot in found if shot.state == state]
        for state in sorted({shot.state for shot in found})
    }


def greys(image: Image, crop: Box, side: int) -> Floats:
    patch = patch_of(image, crop)
    assert patch is not None
    small = cv2.resize(patch.mean(axis=2), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small.ravel(), np.float32)


def nearest_grey(examples: dict[str, list[Image]], crop: Box, side: int) -> Say:
    """The baseline: the state whose mean brightness (or small grey picture) is nearest."""
    means = {
        state: np.mean([greys(image, crop, side) for image in images], axis=0)
        for state, images in examples.items()
    }
    return lambda image: min(
        means, key=lambda state: float(np.abs(means[state] - greys(image, crop, side)).sum())
    )


def tally(said: Iterator[tuple[str, str | None]]) -> dict[str, Any]:
    rows = list(said)
    count = Counter(
        "unknown" if one is None else "right" if one == true else "wrong" for true, one in rows
    )
    return {"n": len(rows), **{key: count[key] for key in ("right", "wrong", "unknown")}}


def confusion(said: list[tuple[str, str | None]]) -> dict[str, dict[str, int]]:
    table: dict[str, Counter[str]] = {}
    for true, one in said:
        table.setdefault(true, Counter())[one or "unknown"] += 1
    return {true: dict(row) for true, row in sorted(table.items())}


def knocked(image: Image, rng: random.Random) -> Image:
    """Show a picture as the camera would after it was pushed aside by 5 to 12 % of the picture."""
    height, width = image.shape[:2]
    right, down = (rng.choice((-1, 1)) * rng.uniform(0.05, 0.12) * size for size in (width, height))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-3, 3), 1.0)
    turn[:, 2] += (right, down)
    moved = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def hour(found: list[Shot], answer: Callable[[Image], Answer]) -> dict[str, Any]:
    """Play the looks of one hour through the votes; the state never changes in it."""
    standing, published, raw = Standing(), [], Counter[str]()
    hours = (found[-1].number - found[0].number) * HOUR / 3600
    rules = Rules(within=10 * 3600 * hours / (len(found) - 1))  # as the edge: ten looks' time
    for shot in found:
        said = answer(shot.image)
        raw[
            "unknown" if said.state is None else "right" if said.state == shot.state else "wrong"
        ] += 1
        before = standing.published
        now = shot.number * HOUR
        standing = vote(standing, said, now, rules)
        if standing.published != before and standing.published is not None:
            published.append(standing.published.state)
    wrong = sum(state != found[0].state for state in published)
    return {
        "looks": len(found),
        "hours": round(hours, 2),
        **{key: raw[key] for key in ("right", "wrong", "unknown")},
        "published": published,
        "false_changes_per_hour": round(wrong / hours, 2),
    }


def grey_answer(say: Say) -> Callable[[Image], Answer]:
    def answer(image: Image) -> Answer:
        state = say(image)
        return Answer(state, state, 1.0, 0.0)

    return answer


def flicker(judge: Judge, off: dict[int, Image], on: dict[int, Image]) -> dict[str, Any]:
    """Play lamps at 5 frames a second: steady, and going on and off at each rate."""
    rows: dict[str, list[tuple[str | None, float | None]]] = {}
    for number in sorted(off.keys() & on.keys()):
        for rate in (0.0, *RATES):
            rng = np.random.default_rng(number)
            watch = StateWatch(judge, every=2.0, dwell=0.0)
            heard: float | None = None
            for n in range(round(SECONDS * FPS)):
                second = n / FPS
                lit = rate == 0 or (second * rate + 0.2 * rng.random()) % 1 < 0.5
                image = (on if lit else off)[number]
                noisy = np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
                report = watch.see(noisy, None, second).report
                heard = report.rate if report and report.rate else heard
            state = watch.standing.published.state if watch.standing.published else None
            rows.setdefault(f"{rate:g} Hz", []).append((state, heard))
    return {
        name: {
            "lamps": len(row),
            "flickering": sum(state == FLICKERING for state, _ in row),
            "rate": [round(rate, 2) for _, rate in row if rate is not None],
        }
        for name, row in rows.items()
    }


def trial(root: Path, thing: str, first: int) -> dict[str, Any]:
    crop = CROPS[thing]
    examples = by_state(shots(root, thing, "teach"))
    started = time.process_time()
    judge = Judge(teach(examples, crop, datetime.now(UTC)).lesson)
    took = time.process_time() - started
    tests = [shot for shot in shots(root, thing, "test") if shot.number >= first]
    said = [(shot, judge.answer(shot.image)) for shot in tests]
    started = time.process_time()
    for shot in tests[:50]:
        judge.answer(shot.image)
    each = (time.process_time() - started) / max(len(tests[:50]), 1)
    clear = [(shot.state, answer.state) for shot, answer in said if shot.kind == "clear"]
    rng = random.Random(1)
    result: dict[str, Any] = {
        "taught": {state: len(images) for state, images in examples.items()},
        "seconds": round(took, 2),
        "milliseconds_a_look": round(each * 1000, 2),
        "clear": tally(iter(clear)),
        "confusion": confusion(clear),
        "why_unknown": dict(
            Counter(one.why for shot, one in said if shot.kind == "clear" and one.why)
        ),
    }
    for kind in ("people", "dark"):
        result[kind] = tally((shot.state, one.state) for shot, one in said if shot.kind == kind)
    shaken = [
        (shot.state, judge.answer(knocked(shot.image, rng)))
        for shot in tests
        if shot.kind == "clear"
    ]
    result["knocked"] = tally((state, one.state) for state, one in shaken)
    result["knocked"]["why"] = dict(Counter(one.why for _, one in shaken if one.why))
    for name, side in (("mean_grey", 1), ("grey_picture", 12)):
        say = nearest_grey(examples, crop, side)
        result[name] = tally((s.state, say(s.image)) for s in tests if s.kind == "clear")
    sequences = by_number(shots(root, thing, "hour"))
    result["hour"] = {}
    for state, found in sequences.items():
        if len(found) < 2:
            continue
        grey = hour(found, grey_answer(nearest_grey(examples, crop, 1)))
        result["hour"][state] = {**hour(found, judge.answer), "mean_grey": grey}
    if thing == "lamp" and {"on", "off"} <= sequences.keys():
        pairs = [{one.number: one.image for one in sequences[state]} for state in ("off", "on")]
        result["flicker"] = flicker(judge, *pairs)
    return result


def by_number(found: list[Shot]) -> dict[str, list[Shot]]:
    return {
        state: sorted((one for one in found if one.state == state), key=lambda one: one.number)
        for state in sorted({one.state for one in found})
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--things", nargs="*", default=list(CROPS))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = {thing: trial(args.pictures, thing, args.first) for thing in args.things}
    print(json.dumps(results, indent=None if args.json else 1))


if __name__ == "__main__":
    main()
