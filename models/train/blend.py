"""Mix a trained detector with the weights it started from, and write it as ONNX.

python models/train/blend.py models/train/detector.toml RUN --share 0.7 --out FILE.onnx
A share of 1 is the trained one alone. Less keeps more of what the start knew of photographs;
the share is chosen on held-out renders and coco-val128, never on the evaluation photographs.
With --doubt D the logits of all classes but person and ebike are raised by D: what may be a
wheelchair, a stroller or a bicycle is then not called an e-bike. It too is chosen on renders.
With --restart DIR the mixture becomes a checkpoint that training can go on from.
"""

import argparse
import tomllib
from pathlib import Path

import torch
from data import NAMES
from net import Detector, export, load
from train import groups


def main() -> None:
    """Mix and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--doubt", type=float, default=0.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--restart", type=Path)
    parser.add_argument("--version", default="0")
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text())
    model = Detector(len(NAMES))
    load(Path(config["start"]), model, config["take"])
    state = torch.load(args.run / "last.pt", weights_only=True)
    start = model.state_dict()
    mixed = {k: v.lerp(state["average"][k], args.share) for k, v in start.items()}
    model.load_state_dict(mixed)
    if args.out:
        doubted = [n for n, name in enumerate(NAMES) if name not in ("person", "ebike")]
        for head in model.heads:
            head.classes.bias.data[doubted] += args.doubt  # type: ignore[union-attr]
        facts = {
            "version": args.version,
            "step": str(state["step"]),
            "share": str(args.share),
            "doubt": str(args.doubt),
            "input": "BGR 0-255, letterbox 114, 416x416",
            "licence": "Apache-2.0",
        }
        export(Path(config["start"]), model, list(NAMES), args.out, facts)
    if args.restart:
        args.restart.mkdir(parents=True, exist_ok=True)
        optimizer = torch.optim.AdamW(groups(model, config), lr=1e-3)
        fresh = {"model": mixed, "average": mixed, "optimizer": optimizer.state_dict()}
        torch.save({**state, **fresh}, args.restart / "last.pt")


if __name__ == "__main__":
    main()
