"""Choose doubt and thresholds of a trained detector on held-out renders, never on photographs.

python models/train/choose.py FILE.onnx RENDERS/held [--json]
FILE is a mixture without doubt (see mix.py). The rule: of all doubts tried, class by class, and all
thresholds, those with an e-bike falsely said on at most 5 % of the renders (and at least one render
is allowed) of each kind that gets confused with it; among them the most e-bikes found, then the
fewest false ones. Other classes get the threshold of the best F1; people the lowest at which four
of five boxes are right, since a head left unblurred is worse than a spot blurred for nothing.
"""

import argparse
import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from data import NAMES

SIZE, STRIDES = 416, (8, 16, 32)
OVERLAP = 0.45
FLOOR = 0.1
AT = 0.3  # IoU from which an object counts as found
EBIKE = NAMES.index("ebike")
DOUBTED = ("bicycle", "stroller", "wheelchair")
DOUBTS = (0.0, 1.5, 3.0, 4.5, 6.0, 7.5)
THRESHOLDS = np.arange(0.15, 0.66, 0.05)
CONFUSED = ("stroller", "bicycle", "wheelchair", "luggage")
ALLOWED = 0.05
PRECISE = 0.8


@dataclass(frozen=True)
class Raw:
    """What the network says of one picture: boxes [n, 4] as shares, objectness [n], logits."""

    boxes: np.ndarray
    thing: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Case:
    """One held-out render: raw output, truth as [n, 5] class and box, and what it shows."""

    raw: Raw
    truth: np.ndarray
    kind: str

    def of(self, label: int) -> np.ndarray:
        """Return the boxes of a class."""
        return self.truth[self.truth[:, 0] == label, 1:]


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap [n, m] of corner boxes [n, 4] and [m, 4]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clip(0).prod(2)
    area = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None]
    return np.asarray(inter / np.maximum(area - inter, 1e-9))


def match(boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray, at: float) -> tuple[int, int]:
    """Return how many truths are found, each once and best score first, and how many are false."""
    free = np.ones(len(truth), bool)
    false = 0
    for i in np.argsort(-scores):
        over = iou(boxes[i : i + 1], truth)[0] * free if len(truth) else np.zeros(0)
        if len(over) and over.max() >= at:
            free[over.argmax()] = False
        else:
            false += 1
    return int((~free).sum()), false


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Return the cells' places [n, 2] and strides [n, 1]."""
    places, strides = [], []
    for s in STRIDES:
        y, x = np.mgrid[: SIZE // s, : SIZE // s]
        places.append(np.stack((x, y), 2).reshape(-1, 2))
        strides.append(np.full((x.size, 1), s))
    return np.concatenate(places), np.concatenate(strides)


def look(session: onnxruntime.InferenceSession, image: np.ndarray) -> Raw:
    """Run the network on one picture."""
    height, width = image.shape[:2]
    ratio = SIZE / max(height, width)
    small = cv2.resize(image, (round(width * ratio), round(height * ratio)))
    canvas = np.full((SIZE, SIZE, 3), 114, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    tensor = canvas.transpose(2, 0, 1)[None].astype(np.float32)
    rows = session.run(None, {session.get_inputs()[0].name: tensor})[0][0]
    places, strides = grid()
    keep = rows[:, 4] > FLOOR
    rows, places, strides = rows[keep], places[keep], strides[keep]
    centre = (rows[:, :2] + places) * strides
    half = np.exp(np.minimum(rows[:, 2:4], 8)) * strides / 2
    boxes = np.concatenate((centre - half, centre + half), 1) / ratio
    classes = rows[:, 5:].clip(1e-6, 1 - 1e-6)
    return Raw(boxes / ([width, height] * 2), rows[:, 4], np.log(classes / (1 - classes)))


def decide(raw: Raw, doubt: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return boxes, scores and classes after suppression; all but people are rivals."""
    values = raw.thing[:, None] / (1 + np.exp(-(raw.logits + doubt)))
    label = values.argmax(1)
    score = values.max(1)
    kept: list[int] = []
    overlaps = iou(raw.boxes, raw.boxes)
    for i in np.argsort(-score, kind="stable"):
        same = [k for k in kept if (label[k] == 0) == (label[i] == 0)]
        if score[i] >= FLOOR and not (overlaps[i, same] > OVERLAP).any():
            kept.append(int(i))
    return raw.boxes[kept], score[kept], label[kept]


def read(model: Path, folder: Path) -> list[Case]:
    """Run the network on all renders of a folder."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    cases = []
    for path in sorted((folder / "images").iterdir()):
        text = (folder / "labels" / f"{path.stem}.txt").read_text()
        rows = np.array([line.split() for line in text.splitlines()], float).reshape(-1, 5)
        c, x, y, w, h = rows.T
        truth = np.column_stack((c, x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        kind = json.loads((folder / "facts" / f"{path.stem}.json").read_text())["kind"]
        cases.append(Case(look(session, cv2.imread(str(path))), truth, kind))
    return cases


Decided = list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def count(cases: list[Case], decided: Decided, label: int, threshold: float) -> tuple[int, int]:
    """Return how many objects of a class are found, and how many boxes of it are false."""
    pairs = [
        match(*(v[(k == label) & (s >= threshold)] for v in (b, s)), case.of(label), AT)
        for case, (b, s, k) in zip(cases, decided, strict=True)
    ]
    return sum(p[0] for p in pairs), sum(p[1] for p in pairs)


def alarms(cases: list[Case], decided: Decided, threshold: float) -> dict[str, tuple[int, int]]:
    """Return, per confused kind, on how many of its renders without an e-bike one is said."""
    out = {}
    for kind in CONFUSED:
        said = [
            bool(((k == EBIKE) & (s >= threshold)).any())
            for case, (_, s, k) in zip(cases, decided, strict=True)
            if case.kind == kind and not len(case.of(EBIKE))
        ]
        out[kind] = (sum(said), len(said))
    return out


def choose(cases: list[Case]) -> dict[str, object]:
    """Apply the rule; return doubt, thresholds, and what they give. None fits: ValueError."""
    best: tuple[tuple[int, int], dict[str, object], Decided] | None = None
    for tried in itertools.product(DOUBTS, repeat=len(DOUBTED)):
        named = dict(zip(DOUBTED, tried, strict=True))
        doubt = np.array([named.get(name, 0.0) for name in NAMES])
        decided = [decide(case.raw, doubt) for case in cases]
        for threshold in THRESHOLDS:
            false_on = alarms(cases, decided, threshold)
            if any(said > max(1, ALLOWED * n) for said, n in false_on.values()):
                continue
            found, false = count(cases, decided, EBIKE, threshold)
            if best is None or (found, -false) > best[0]:
                facts = {"ebike": found, "false": false, "false_on": false_on}
                says = {"doubt": named, "threshold": {"ebike": round(float(threshold), 2)}, **facts}
                best = ((found, -false), says, decided)
    if best is None:
        raise ValueError("no threshold keeps false e-bikes low enough: train on")
    _, chosen, decided = best
    for label, name in enumerate(NAMES):
        if label != EBIKE:
            total = sum(len(case.of(label)) for case in cases)
            counts = [(t, *count(cases, decided, label, t)) for t in THRESHOLDS]
            good = [
                found / max(found + false, 1) >= PRECISE
                if name == "person"
                else 2 * found / max(found + false + total, 1)
                for _, found, false in counts
            ]
            best_at = float(counts[int(np.argmax(good))][0])
            chosen["threshold"][name] = round(best_at, 2)  # type: ignore[index]
    return chosen


def main() -> None:
    """Choose and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args()
    chosen = choose(read(args.model, args.folder))
    if args.json:
        print(json.dumps(chosen))
        return
    for key, value in chosen.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
