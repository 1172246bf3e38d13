"""Calibrate a trained classifier, write it as ONNX, and measure the file that was written.

Temperature and threshold are chosen on the validation part; the held-out part and the pictures
of `judged` are only measured. Writes waste.onnx, figures.json, confusion.png, reliability.png.
train.py ends with this; alone: `python models/waste/report.py models/waste/waste.toml --out DIR`.
"""

import argparse
import json
import random
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from calibrate import calibration_error, softmax, temperature, threshold
from export import export
from lite import Classifier
from plots import confusion, reliability
from trashnet import Image, ground, kinds, parts, read, tensor, view

PIECES = 4
CATEGORIES = {"trash": "residual"}  # everything else TrashNet has is recyclable
LICENCE = "Apache-2.0"


def pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its sub-folders, in order."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})


def whole_and_pieces(paths: list[Path], size: int) -> list[Image]:
    """Return each picture and some pieces of it, the same every time."""
    out = []
    for path in paths:
        image, rng = read(path), random.Random(path.name)
        out += [image, *(view(rng, image, size, 0.05) for _ in range(PIECES))]
    return out


class Measured:
    """An ONNX file that gives probabilities."""

    def __init__(self, path: Path, size: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self.size = size

    def __call__(self, images: list[Image]) -> np.ndarray:
        """Return probabilities [n, classes]."""
        rows = (self.session.run(None, {"images": tensor([i], self.size)})[0] for i in images)
        return np.concatenate(list(rows))


def write(config: dict[str, Any], model: Classifier, out: Path) -> None:
    """Calibrate, export and measure."""
    folder, size = Path(config["photographs"]), config["size"]
    names, divided = kinds(folder), parts(folder, config["seed"])
    images = {k: [read(s.path) for s in divided[k]] for k in ("validation", "held")}
    truth = {k: np.array([s.kind for s in divided[k]]) for k in images}
    file = out / "waste.onnx"

    export(model, (size, size), 1.0, {}, file)
    raw = {k: np.log(np.maximum(Measured(file, size)(v), 1e-12)) for k, v in images.items()}
    heat = temperature(raw["validation"], truth["validation"])
    others = pictures(Path(config["others"]))[-config["other"]["validation"] :]
    facts = {
        "names": json.dumps(names),
        "categories": json.dumps({n: CATEGORIES.get(n, "recyclable") for n in names}),
        "task": "classification",
        "input": f"BGR 0-255, squeezed to {size}x{size}",
        "temperature": str(heat),
        "version": config["version"],
        "licence": LICENCE,
    }
    export(model, (size, size), heat, facts, file)
    judge = Measured(file, size)
    sure, right = best(judge(images["validation"]), truth["validation"])
    strange = judge(whole_and_pieces(others, size)).max(1)
    least = threshold(sure, right, strange, **config["threshold"])
    export(model, (size, size), heat, {**facts, "threshold": str(least)}, file)

    said = judge(images["held"])
    figures = {
        "temperature": heat,
        "threshold": least,
        "bytes": file.stat().st_size,
        "photographs": {k: len(v) for k, v in divided.items()},
        "validation": summary(judge(images["validation"]), truth["validation"], least),
        "held": summary(said, truth["held"], least),
        "held as trained": {"ece": ece(softmax(raw["held"]), truth["held"])},
        "per class": per_class(said, truth["held"], least, names),
        "others": strangers(config, judge, least),
    }
    (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    unknown = np.where(said.max(1) < least, len(names), said.argmax(1))
    table = np.zeros((len(names), len(names) + 1))
    np.add.at(table, (truth["held"], unknown), 1)
    confusion(table, names, [*names, "unknown"], out / "confusion.png")
    reliability(softmax(raw["held"]).max(1), *best(said, truth["held"]), out / "reliability.png")
    print(json.dumps(figures, indent=1))


def best(probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how sure the model is of its best class, and whether that is right."""
    return probabilities.max(1), probabilities.argmax(1) == truth


def ece(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the expected calibration error."""
    return round(calibration_error(*best(probabilities, truth)), 4)


def summary(probabilities: np.ndarray, truth: np.ndarray, least: float) -> dict[str, float]:
    """Return accuracy over all, then what is named and how often that is right."""
    sure, right = best(probabilities, truth)
    kept = sure >= least
    return {
        "accuracy": round(float(right.mean()), 4),
        "ece": ece(probabilities, truth),
        "named": round(float(kept.mean()), 4),
        "accuracy of the named": round(float(right[kept].mean()), 4) if kept.any() else 0.0,
    }


def per_class(
    probabilities: np.ndarray, truth: np.ndarray, least: float, names: list[str]
) -> dict[str, dict[str, float]]:
    """Return per class how many there are, recall and precision without and with the threshold."""
    sure, said = probabilities.max(1), probabilities.argmax(1)
    out = {}
    for number, name in enumerate(names):
        is_it, says_it = truth == number, said == number
        named = says_it & (sure >= least)
        out[name] = {
            "n": int(is_it.sum()),
            "recall": _share(says_it[is_it]),
            "precision": _share(is_it[says_it]),
            "recall of the named": _share(named[is_it]),
            "precision of the named": _share(is_it[named]),
        }
    return out


def strangers(config: dict[str, Any], judge: Measured, least: float) -> dict[str, Any]:
    """Return how often pictures of other things are called unknown, and waste on other ground."""
    folder, size = Path(config["photographs"]), config["size"]
    others = pictures(Path(config["judged"]))
    divided = parts(folder, config["seed"])["held"]
    textures = [read(p) for p in others]
    grounds = []
    for n, sample in enumerate(divided):
        rng = random.Random(sample.path.name)
        texture = view(rng, textures[n % len(textures)], size, 0.1)
        grounds.append(ground(rng, read(sample.path), texture, 0.7))
    truth = np.array([s.kind for s in divided])
    return {
        "pictures": len(others),
        "unknown, whole": _share(judge(textures).max(1) < least),
        "unknown, whole and pieces": _share(judge(whole_and_pieces(others, size)).max(1) < least),
        "waste on other ground": summary(judge(grounds), truth, least),
    }


def _share(mask: np.ndarray) -> float:
    return round(float(mask.mean()), 4) if mask.size else 0.0


def main() -> None:
    """Report on what train.py left in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text())
    model = Classifier(len(kinds(Path(config["photographs"]))), config["blocks"])
    model.load_state_dict(torch.load(args.out / "last.pt", weights_only=True)["average"])
    write(config, model, args.out)


if __name__ == "__main__":
    main()
