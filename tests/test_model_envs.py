"""scripts/model-envs makes environments once, and says why one cannot be made.

Python and pip are stand-ins that note what they were asked, so that nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "model-envs"
# What `python3.11`, `.venv/bin/python` and those of the environments are here.
PYTHON = """#!/usr/bin/env bash
case "$*" in
  *--version*) cat "$NOTES/version" ;;
  *"-m venv"*) echo "venv ${!#}" >>"$NOTES/done"
    rm -rf "${!#}" && mkdir -p "${!#}/bin" && cp "$NOTES/python3.11" "${!#}/bin/python" ;;
  *--dry-run*) cat "$NOTES/report" ;;
  *"pip install"*) echo "pip ${!#}" >>"$NOTES/done"
    [ ! -e "$NOTES/pip-fails" ] || { echo "no network"; exit 1; } ;;
  *"bpy, cv2") [ ! -e "$NOTES/bpy-fails" ] || { echo "libX.so is missing"; exit 1; } ;;
esac
"""
BOTH = [
    "venv .venv-render",
    "pip models/render/requirements.txt",
    "venv .venv-train",
    "pip models/train/requirements.txt",
]


class Checkout:
    """A small checkout with the real script, and what it did last."""

    def __init__(self, root: Path, notes: Path) -> None:
        self.root = root
        self.notes = notes

    def make(self) -> None:
        for name in ("render", "train"):
            (self.root / "models" / name).mkdir(parents=True)
            self.pins(name).write_text("a==1\n")
        (self.root / "scripts").mkdir()
        shutil.copy(SCRIPT, self.root / "scripts")
        (self.root / ".venv" / "bin").mkdir(parents=True)
        self.notes.mkdir()
        (self.notes / "version").write_text("Python 3.11.7")
        (self.notes / "report").write_text('{"name": "torch"}')
        for python in (self.notes / "python3.11", self.root / ".venv" / "bin" / "python"):
            python.write_text(PYTHON)
            python.chmod(0o755)

    def pins(self, name: str) -> Path:
        return self.root / "models" / name / "requirements.txt"

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        (self.notes / "done").write_text("")
        path = f"{self.notes}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [self.root / "scripts" / "model-envs", *arguments],
            env={"PATH": path, "NOTES": str(self.notes), "TMPDIR": str(self.notes), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *arguments: str, **variables: str) -> list[str]:
        """Run, expect success and return what was done."""
        run = self.run(*arguments, **variables)
        assert run.returncode == 0, run.stderr
        return (self.notes / "done").read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "邻里 1", tmp_path / "notes")
    made.make()
    return made


def test_both_are_made_once(checkout: Checkout) -> None:
    assert checkout.done() == BOTH
    assert checkout.done() == []


def test_one_is_made_again_when_its_pins_change(checkout: Checkout) -> None:
    checkout.done()
    checkout.pins("train").write_text("a==2\n")
    assert checkout.done() == BOTH[2:]
    assert checkout.done() == []


def test_an_interpreter_that_is_gone_or_another_asks_for_it_again(checkout: Checkout) -> None:
    checkout.done()
    (checkout.root / ".venv-render" / "bin" / "python").unlink()
    assert checkout.done() == BOTH[:2]
    (checkout.notes / "version").write_text("Python 3.11.8")
    assert checkout.done() == BOTH


def test_nothing_is_made_for_an_interpreter_that_is_named(checkout: Checkout) -> None:
    assert checkout.done(LINLI_TRAIN_PYTHON="/usr/bin/python3") == BOTH[:2]


def test_why_pip_fails_is_said_and_it_is_tried_again(checkout: Checkout) -> None:
    (checkout.notes / "pip-fails").touch()
    failed = checkout.run()
    assert failed.returncode == 1
    assert "no .venv-render: pip failed" in failed.stderr
    assert failed.stderr.count("no network") == 2
    assert not (checkout.root / ".venv-train").exists()
    (checkout.notes / "pip-fails").unlink()
    assert checkout.done() == BOTH


def test_what_cannot_be_imported_counts_as_not_made(checkout: Checkout) -> None:
    (checkout.notes / "bpy-fails").touch()
    failed = checkout.run()
    assert failed.returncode == 1
    assert "no .venv-render: not all of av, bpy, cv2 can be imported" in failed.stderr
    assert "libX.so is missing" in failed.stderr
    assert (checkout.root / ".venv-train" / "linli-installed").exists()


def test_cuda_is_taken_only_when_asked_for_or_in_ci(checkout: Checkout) -> None:
    (checkout.notes / "report").write_text('{"name": "nvidia-cublas"}')
    named = {"LINLI_RENDER_PYTHON": "python3"}
    refused = checkout.run(**named)
    assert refused.returncode == 1
    assert "no .venv-train: pip finds torch with CUDA only" in refused.stderr
    assert "nvidia-cublas" not in refused.stderr
    assert checkout.done(CI="true", **named) == BOTH[2:]
    shutil.rmtree(checkout.root / ".venv-train")
    assert checkout.done("--cuda", **named) == BOTH[2:]
