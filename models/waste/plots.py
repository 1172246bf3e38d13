"""Curves, confusion matrix and reliability diagram as small PNG files."""

from pathlib import Path

import matplotlib
import numpy as np
from calibrate import BINS, bins, calibration_error

matplotlib.use("Agg")
from matplotlib import pyplot


def curves(rows: list[dict[str, float]], target: Path) -> None:
    """Draw losses and accuracies by epoch."""
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3))
    for axis, names in zip(axes, (("loss", "others"), ("train", "validation")), strict=True):
        for name in names:
            axis.plot([r["epoch"] for r in rows], [r[name] for r in rows], label=name)
        axis.set_xlabel("epoch")
        axis.legend()
    axes[0].set_title("loss")
    axes[1].set_title("accuracy")
    _save(figure, target)


def confusion(matrix: np.ndarray, names: list[str], columns: list[str], target: Path) -> None:
    """Draw counts: truth in rows, what was said in columns."""
    figure, axis = pyplot.subplots(figsize=(4.6, 4))
    axis.imshow(matrix / matrix.sum(1, keepdims=True), cmap="Blues", vmin=0, vmax=1)
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            count = int(matrix[row, column])
            dark = count > matrix[row].sum() / 2
            if count:
                axis.text(
                    column, row, str(count), ha="center", va="center", color="w" if dark else "k"
                )
    axis.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("said")
    axis.set_ylabel("is")
    _save(figure, target)


def reliability(before: np.ndarray, sure: np.ndarray, right: np.ndarray, target: Path) -> None:
    """Draw accuracy by probability, before and after the temperature."""
    figure, axes = pyplot.subplots(1, 2, figsize=(7, 3.2), sharey=True)
    for axis, values, name in zip(axes, (before, sure), ("as trained", "as shipped"), strict=True):
        rows = bins(values, right)
        rows = rows[rows[:, 2] > 0]
        axis.bar(rows[:, 0], rows[:, 1], width=0.8 / BINS, color="#7aa6d8")
        for x, y, count in rows:
            axis.text(x, y + 0.01, str(int(count)), ha="center", fontsize=6)
        axis.plot([0, 1], [0, 1], "k--", linewidth=0.8)
        axis.set_title(f"{name}: ECE {calibration_error(values, right):.3f}")
        axis.set_xlabel("probability said")
    axes[0].set_ylabel("share right")
    _save(figure, target)


def _save(figure: object, target: Path) -> None:
    figure.tight_layout()  # type: ignore[attr-defined]
    figure.savefig(target, dpi=70)  # type: ignore[attr-defined]
    pyplot.close(figure)  # type: ignore[arg-type]
