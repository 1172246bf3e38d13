"""Train the detector: `python models/train/train.py models/train/detector.toml --out DIR`.

Resumes from DIR/last.pt when it is there. Runs on the CPU or, with --device cuda, on one GPU.
Writes DIR/last.pt, DIR/detector.onnx, DIR/losses.csv and DIR/curves.png.
"""

import argparse
import copy
import csv
import random
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

sys.path.insert(0, str(Path(__file__).parent))
from data import NAMES, Mix
from loss import detection_loss
from net import Detector, cells, export, load

SAVE_EVERY = 100
RESCAN_EVERY = 3000  # samples; renders may still be coming


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Training samples addressed by (number, size)."""

    def __init__(self, mix: Mix, seed: int) -> None:
        self.mix, self.seed, self.given = mix, seed, 0

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return the picture [3, s, s] and truths [n, 5] as class, centre, size in pixels."""
        number, size = key
        self.given += 1
        if self.given % RESCAN_EVERY == 0:
            self.mix.rescan()
        image, boxes = self.mix.sample(random.Random(f"{self.seed}-{number}"), size)
        truth = np.column_stack(
            (boxes[:, 0], (boxes[:, 1:3] + boxes[:, 3:5]) / 2, boxes[:, 3:5] - boxes[:, 1:3])
        )
        return torch.from_numpy(image.transpose(2, 0, 1).copy()), torch.from_numpy(truth).float()


class Batches(Sampler[list[tuple[int, int]]]):
    """Numbers and one size per batch, from a step on."""

    def __init__(self, config: dict[str, Any], first: int) -> None:
        self.config, self.first = config, first

    def __iter__(self) -> Any:
        """Yield keys for each step left."""
        c = self.config
        for step in range(self.first, c["steps"]):
            size = size_at(c, step)
            yield [(step * c["batch"] + k, size) for k in range(c["batch"])]


def size_at(config: dict[str, Any], step: int) -> int:
    """Return the input size of a step."""
    sizes = config["sizes"]
    if step >= config["steps"] * (1 - sizes["full_share"]):
        return int(sizes["full"])
    return int(random.Random(f"{config['seed']}-size-{step}").choice(sizes["drawn"]))


def rate_at(config: dict[str, Any], step: int) -> float:
    """Return the learning rate: a warm-up, a plain, then straight down while at full size.

    The plain lets `steps` be changed between a stop and a resume.
    """
    o, last = config["optimizer"], config["steps"] * config["sizes"]["full_share"]
    rising = (step + 1) / o["warmup"]
    falling = (config["steps"] - step) / max(last, 1)
    return float(o["rate"] * max(min(rising, 1.0, falling), 0.03))


def groups(model: Detector, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Freeze the first parts; split other parameters by where they are and whether they decay."""
    slow = {id(p) for part in model.backbone() for p in part.parameters()}
    o = config["optimizer"]
    out: dict[tuple[float, float], list[Any]] = {}
    for part in model.backbone()[: o["frozen"]]:
        part.requires_grad_(requires_grad=False)
    if o.get("only_classes", False):
        model.requires_grad_(requires_grad=False)
        for head in model.heads:
            head.classify.requires_grad_(requires_grad=True)  # type: ignore[union-attr]
            head.classes.requires_grad_(requires_grad=True)  # type: ignore[union-attr]
    for p in model.parameters():
        if not p.requires_grad:
            continue
        key = (o["backbone"] if id(p) in slow else 1.0, o["decay"] if p.ndim > 1 else 0.0)
        out.setdefault(key, []).append(p)
    return [{"params": v, "share": k[0], "weight_decay": k[1]} for k, v in out.items()]


def anchors(model: Detector) -> list[tuple[Tensor, Tensor]]:
    """Pair the trained parameters, class layers aside, with copies of where they started."""
    free = {id(p) for head in model.heads for p in head.classes.parameters()}  # type: ignore[union-attr]
    kept = [p for p in model.parameters() if p.requires_grad and id(p) not in free]
    return [(p, p.detach().clone()) for p in kept]


def pull(held: list[tuple[Tensor, Tensor]], rate: float, config: dict[str, Any]) -> None:
    """Draw parameters back to where they started, so that real things stay recognised."""
    share = rate * config["optimizer"]["pull"]
    with torch.no_grad():
        for p, start in held:
            p.lerp_(start, share)


def curves(rows: list[dict[str, float]], target: Path) -> None:
    """Draw the smoothed losses."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3))
    for axis, name in zip(axes, ("object", "box", "class"), strict=True):
        values = np.array([r[name] for r in rows])
        window = max(len(values) // 60, 1)
        smooth = np.convolve(values, np.ones(window) / window, "valid")
        axis.plot(np.arange(len(smooth)) + rows[0]["step"] + window, smooth)
        axis.set_title(name)
        axis.set_xlabel("step")
    figure.tight_layout()
    figure.savefig(target, dpi=80)
    pyplot.close(figure)


def save(
    out: Path, config: dict[str, Any], state: dict[str, Any], rows: list[dict[str, float]]
) -> None:
    """Write checkpoint, ONNX, losses and curves."""
    torch.save(state, out / "part.pt")
    (out / "part.pt").rename(out / "last.pt")
    model = Detector(len(NAMES))
    model.load_state_dict(state["average"])
    facts = {
        "step": str(state["step"]),
        "licence": "Apache-2.0",
        "input": "BGR 0-255, letterbox 114, sides of 32 to 416",
    }
    export(Path(config["start"]), model, list(NAMES), out / "detector.onnx", facts)
    with (out / "losses.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    curves(rows, out / "curves.png")


def train(config: dict[str, Any], out: Path, device: str, workers: int, minutes: float) -> None:
    """Run what is left of the steps, or as many as the minutes allow."""
    torch.manual_seed(config["seed"])
    d = config["data"]
    textures = Path(d["textures"]) if d.get("textures") else None
    mix = Mix(
        Path(d["elevators"]),
        Path(d["cutouts"]),
        Path(d["photographs"]),
        textures,
        d["shares"],
        d["kinds"],
    )
    model = Detector(len(NAMES))
    load(Path(config["start"]), model, config.get("take"))
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(model)
    held = anchors(model)
    optimizer = torch.optim.AdamW(groups(model, config), lr=1e-3)
    step, rows = 0, []
    if (out / "last.pt").exists():
        state = torch.load(out / "last.pt", weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, rows = state["step"], state["rows"]
    loader = DataLoader(
        Samples(mix, config["seed"]),
        batch_sampler=Batches(config, step),
        num_workers=workers,
        collate_fn=lambda items: items,
    )
    frame: dict[int, tuple[Tensor, Tensor]] = {}
    half = bool(config["optimizer"].get("bfloat16", False))
    started = time.monotonic()
    for items in loader:
        images = (
            torch.stack([i for i, _ in items])
            .to(device)
            .float()
            .contiguous(memory_format=torch.channels_last)
        )
        size = images.shape[-1]
        if size not in frame:
            frame[size] = cells(size)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(config, step) * group["share"]
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            output = model(images)
        output = output.float().cpu()
        loss, parts = detection_loss(output, [t for _, t in items], *frame[size])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        pull(held, optimizer.param_groups[0]["lr"] / optimizer.param_groups[0]["share"], config)
        keep = min(config["optimizer"]["average"], (step + 1) / (step + 10))
        with torch.no_grad():
            for a, p in zip(average.parameters(), model.parameters(), strict=True):
                a.lerp_(p, 1 - keep)
        step += 1
        rows.append({"step": step, **parts})
        over = time.monotonic() - started > minutes * 60
        if step % 25 == 0:
            recent = {k: round(float(np.mean([r[k] for r in rows[-25:]])), 3) for k in parts}
            print(
                step,
                recent,
                f"{time.monotonic() - started:.0f} s",
                flush=True,
            )
        if step % SAVE_EVERY == 0 or step == config["steps"] or over:
            state = {
                "model": model.cpu().state_dict(),
                "average": average.cpu().state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "rows": rows,
            }
            save(out, config, state, rows)
            model.to(device)
            average.to(device)
        if over:
            break


def main() -> None:
    """Read the configuration and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text())
    if args.steps:
        config["steps"] = args.steps
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    train(config, args.out, args.device, args.workers, args.minutes)


if __name__ == "__main__":
    main()
