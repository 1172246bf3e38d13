"""The scripts below models/ are plain files, run in environments that scripts/model-envs makes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "models" / "train"))

Script = Callable[..., str]
BUSY = 250
"""Seconds for a script that takes five, on a machine with much else to do."""


def script_of(name: str) -> Script:
    """Return what runs a script below models/ in .venv-NAME and returns its stdout; or skip."""
    said = os.environ.get(f"LINLI_{name.upper()}_PYTHON")
    python = Path(said or ROOT / f".venv-{name}" / "bin" / "python")
    if not said and not (ROOT / f".venv-{name}" / "linli-installed").exists():
        pytest.skip(f"no .venv-{name}: scripts/model-envs makes it, or says why it cannot")

    def run(script: str, *arguments: object) -> str:
        done = subprocess.run(
            [python, ROOT / "models" / script, *map(str, arguments)],
            env={**os.environ, "LINLI_FURNITURE": os.devnull},  # the same pictures everywhere
            capture_output=True,
            text=True,
            timeout=BUSY,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


@pytest.fixture
def render() -> Script:
    """Run a script that renders."""
    return script_of("render")


@pytest.fixture
def train() -> Script:
    """Run a script that trains."""
    return script_of("train")
