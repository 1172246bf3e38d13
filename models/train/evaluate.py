"""Measure a detector file: choose its threshold on held-out renders, report on photographs.

python models/train/evaluate.py FILE choose RENDERS          picks the e-bike and person thresholds
python models/train/evaluate.py FILE report FOLDER --classes person,ebike --ebike 0.4 --person 0.4
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime

SIZE = 416
STRIDES = (8, 16, 32)
FLOOR = 0.05


@dataclass(frozen=True)
class Found:
    """Detections of one picture: boxes [n, 4] as corners in pixels, scores [n], names [n]."""

    boxes: np.ndarray
    scores: np.ndarray
    names: list[str]

    def of(self, name: str, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes and scores of one class at or above a threshold."""
        keep = [i for i, n in enumerate(self.names) if n == name and self.scores[i] >= threshold]
        return self.boxes[keep], self.scores[keep]


class Model:
    """An ONNX detector with raw YOLOX outputs and its class names."""

    def __init__(self, path: Path, names: list[str]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.names = names
        self.grid, self.stride = _cells()

    def detect(self, image: np.ndarray, overlap: float = 0.5) -> Found:
        """Detect in a BGR picture; duplicates of a class overlapping more than `overlap` go."""
        ratio = SIZE / max(image.shape[:2])
        small = cv2.resize(image, (round(image.shape[1] * ratio), round(image.shape[0] * ratio)))
        canvas = np.full((SIZE, SIZE, 3), 114, np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        raw = self.session.run(
            None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)}
        )[0][0]
        scores = raw[:, 5:] * raw[:, 4:5]
        rows, columns = np.nonzero(scores > FLOOR)
        centre = (raw[rows, :2] + self.grid[rows]) * self.stride[rows]
        half = np.exp(np.minimum(raw[rows, 2:4], 8)) * self.stride[rows] / 2
        boxes = np.concatenate((centre - half, centre + half), 1) / ratio
        value = scores[rows, columns]
        order = np.argsort(-value)
        kept: list[int] = []
        for i in order:
            same = [k for k in kept if columns[k] == columns[i]]
            if not same or iou(boxes[i : i + 1], boxes[same]).max() < overlap:
                kept.append(int(i))
        return Found(boxes[kept], value[kept], [self.names[columns[k]] for k in kept])


def _cells() -> tuple[np.ndarray, np.ndarray]:
    grids, strides = [], []
    for s in STRIDES:
        y, x = np.mgrid[: SIZE // s, : SIZE // s]
        grids.append(np.stack((x, y), 2).reshape(-1, 2))
        strides.append(np.full((x.size, 1), s))
    return np.concatenate(grids), np.concatenate(strides)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap [n, m] of corner boxes [n, 4] and [m, 4]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clip(0).prod(2)
    area = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None]
    return np.asarray(inter / np.maximum(area - inter, 1e-6))


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


def read_truth(path: Path, image: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
    """Read YOLO labels as corner boxes per class name."""
    h, w = image.shape[:2]
    out: dict[str, list[list[float]]] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        c, x, y, bw, bh = (float(v) for v in line.split())
        if int(c) < len(names):
            out.setdefault(names[int(c)], []).append(
                [(x - bw / 2) * w, (y - bh / 2) * h, (x + bw / 2) * w, (y + bh / 2) * h]
            )
    return {k: np.array(v) for k, v in out.items()}


@dataclass(frozen=True)
class Case:
    """One evaluated picture."""

    path: Path
    found: Found
    truth: dict[str, np.ndarray]
    kind: str


def run(model: Model, folder: Path, names: list[str], first: int = 0) -> list[Case]:
    """Detect in all pictures of a folder; renders below number `first` are left out."""
    cases = []
    for path in sorted((folder / "images").iterdir()):
        facts = folder / "facts" / f"{path.stem}.json"
        if first and int(path.stem.split("-")[1]) < first:
            continue
        image = cv2.imread(str(path))
        kind = json.loads(facts.read_text())["kind"] if facts.exists() else ""
        cases.append(
            Case(
                path,
                model.detect(image),
                read_truth(folder / "labels" / f"{path.stem}.txt", image, names),
                kind,
            )
        )
    return cases


def score(cases: list[Case], name: str, threshold: float, at: float) -> dict[str, float]:
    """Count found, false and missed objects of a class."""
    none = np.zeros((0, 4))
    pairs = [match(*c.found.of(name, threshold), c.truth.get(name, none), at) for c in cases]
    total = sum(len(c.truth.get(name, none)) for c in cases)
    found, false = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    return {
        "n": total,
        "found": found,
        "false": false,
        "recall": found / max(total, 1),
        "precision": found / max(found + false, 1),
    }


def choose(cases: list[Case], at: float) -> dict[str, float]:
    """Print the trade-off on held-out renders and return the best threshold per class (F1)."""
    best: dict[str, float] = {}
    steps = np.arange(0.1, 0.9, 0.05)
    for name in ("person", "ebike", "bicycle", "stroller", "wheelchair"):
        scored = [(t, score(cases, name, t, at)) for t in steps]
        f1 = [
            2 * s["precision"] * s["recall"] / max(s["precision"] + s["recall"], 1e-6)
            for _, s in scored
        ]
        best[name] = round(float(steps[int(np.argmax(f1))]), 2)
        print(
            name,
            "threshold",
            best[name],
            {k: round(v, 3) for k, v in scored[int(np.argmax(f1))][1].items()},
        )
    for t in steps:
        line = []
        for kind in ("stroller", "bicycle", "wheelchair", "luggage", "people", "empty"):
            some = [c for c in cases if c.kind == kind and "ebike" not in c.truth]
            false = sum(len(c.found.of("ebike", t)[0]) > 0 for c in some)
            line.append(f"{kind} {false}/{len(some)}")
        s = score(cases, "ebike", t, at)
        print(
            f"ebike {t:.2f} recall {s['recall']:.3f} precision {s['precision']:.3f}; false on",
            ", ".join(line),
        )
    return best


def draw(cases: list[Case], thresholds: dict[str, float], target: Path, side: int = 320) -> None:
    """Save a sheet: truth thin in white, detections in colour with their score."""
    colors = {
        "person": (0, 200, 0),
        "ebike": (0, 0, 255),
        "bicycle": (255, 80, 0),
        "stroller": (255, 255, 0),
        "wheelchair": (0, 255, 255),
    }
    tiles = []
    for case in cases:
        image = cv2.imread(str(case.path))
        ratio = side / max(image.shape[:2])
        image = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
        for boxes in case.truth.values():
            for b in (boxes * ratio).astype(int):
                cv2.rectangle(image, b[:2].tolist(), b[2:].tolist(), (255, 255, 255), 1)
        for box, value, name in zip(
            case.found.boxes, case.found.scores, case.found.names, strict=True
        ):
            if value >= thresholds.get(name, 0.3):
                b = (box * ratio).astype(int)
                cv2.rectangle(image, b[:2].tolist(), b[2:].tolist(), colors[name], 2)
                cv2.putText(
                    image,
                    f"{name[:2]} {value:.2f}",
                    (int(b[0]) + 2, int(b[1]) + 12),
                    0,
                    0.42,
                    colors[name],
                    1,
                )
        tile = np.full((side, side, 3), 40, np.uint8)
        tile[: image.shape[0], : image.shape[1]] = image[:side, :side]
        tiles.append(tile)
    columns = 5
    tiles += [np.zeros((side, side, 3), np.uint8)] * (-len(tiles) % columns)
    cv2.imwrite(
        str(target),
        np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]),
    )


def main() -> None:
    """Choose or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("what", choices=("choose", "report"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", default="person,ebike,bicycle,stroller,wheelchair")
    parser.add_argument("--first", type=int, default=0, help="leave out renders below this number")
    parser.add_argument("--iou", type=float, default=0.3)
    parser.add_argument("--ebike", type=float, default=0.3)
    parser.add_argument("--person", type=float, default=0.3)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    metadata = {p.key: p.value for p in onnx.load(str(args.model)).metadata_props}
    model = Model(args.model, json.loads(metadata["names"]))
    names = args.classes.split(",")
    cases = run(model, args.folder, names, args.first)
    chosen = {"ebike": args.ebike, "person": args.person}
    if args.what == "choose":
        chosen = choose(cases, args.iou)
    for name in names:
        if name in model.names:
            print(
                name,
                {
                    k: round(v, 3)
                    for k, v in score(cases, name, chosen.get(name, 0.3), args.iou).items()
                },
            )
    said = sum(len(c.found.of("ebike", chosen["ebike"])[0]) > 0 for c in cases)
    print(f"pictures {len(cases)}, with an e-bike said {said}")
    if args.sheet:
        draw(cases, chosen, args.sheet)


if __name__ == "__main__":
    main()
