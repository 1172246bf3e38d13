"""The scripts of a checkout: they install when something changed, and mend what was interrupted.

Python and pip are stand-ins that note what they were asked, so that nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"
WEB = "dashboards/web"
FILES = (
    "pyproject.toml",
    "scripts/hatch_build.py",
    f"{WEB}/package.json",
    f"{WEB}/package-lock.json",
    f"{WEB}/.npmrc",
    f"{WEB}/old-phones.cjs",
    f"{WEB}/src/app.js",
    f"{WEB}/locale/zh_CN/LC_MESSAGES/messages.po",
)
# What `python` and `.venv/bin/python` are here: `-m venv --clear DIR` makes another of itself.
PYTHON = """#!/usr/bin/env bash
[ "$1" = --version ] && echo "Python $(cat "$NOTES/version")"
case "$*" in
  *"-m venv"*)
    echo venv >>"$NOTES/done"
    rm -rf "${!#}" && mkdir -p "${!#}/bin" && cp "$NOTES/python" "${!#}/bin/python"
    printf '#!%s/.venv/bin/python\\n' "$(pwd -P)" >"${!#}/bin/pip" ;;
  *"-m pip install"*)
    echo pip >>"$NOTES/done"
    [ ! -e "$NOTES/pip-fails" ] || { echo "no network"; exit 1; }
    cp "$NOTES/python" .venv/bin/linli ;;
  *pip*) cat "$NOTES/version" ;;
  *pytest*) echo "$*" >"$NOTES/pytest"; exit 3 ;;
esac
"""


class Checkout:
    """A small checkout with the real scripts, and what they did last."""

    def __init__(self, root: Path, notes: Path) -> None:
        self.root = root
        self.notes = notes

    def make(self) -> None:
        for name in FILES:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text("1")
        for name in ("install", "test"):
            shutil.copy(SCRIPTS / name, self.root / "scripts")
        self.notes.mkdir()
        (self.notes / "version").write_text("3 11")
        self.program(self.notes / "python", PYTHON)

    def program(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the checkout from elsewhere."""
        (self.notes / "done").write_text("")
        return subprocess.run(
            [self.root / "scripts" / script, *arguments],
            cwd=self.notes,
            env={
                "PATH": f"{self.notes}{os.pathsep}{os.environ['PATH']}",
                "NOTES": str(self.notes),
                "LINLI_PYTHON": str(self.notes / "python"),
                "TMPDIR": str(self.notes),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, extras: str = "all") -> list[str]:
        """Install and return what was done for that."""
        done = self.run("install", extras)
        assert done.returncode == 0, done.stderr
        return (self.notes / "done").read_text().split()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "邻里 1" / "linli", tmp_path / "notes")
    made.make()
    return made


def test_the_second_time_nothing_is_done_and_fast(checkout: Checkout) -> None:
    assert checkout.install() == ["venv", "pip"]
    start = time.monotonic()
    assert checkout.install() == []
    assert time.monotonic() - start < 1


def test_what_holds_more_need_not_be_installed_again(checkout: Checkout) -> None:
    assert checkout.install("all") == ["venv", "pip"]
    assert checkout.install("all,dev") == ["pip"]
    assert checkout.install("all") == []


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_asks_for_it_again(checkout: Checkout, name: str) -> None:
    checkout.install()
    (checkout.root / name).write_text("2")
    assert checkout.install() == ["pip"]
    assert checkout.install() == []


@pytest.mark.parametrize("name", [f"{WEB}/src/new.js", f"{WEB}/locale/en/LC_MESSAGES/m.po"])
def test_a_new_file_asks_for_it_again(checkout: Checkout, name: str) -> None:
    checkout.install()
    (checkout.root / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout.root / name).write_text("1")
    assert checkout.install() == ["pip"]


def test_what_is_built_asks_for_nothing(checkout: Checkout) -> None:
    checkout.install()
    (checkout.root / f"{WEB}/locale/zh_CN/LC_MESSAGES/messages.mo").write_text("built")
    assert checkout.install() == []


def no_pip(venv: Path) -> None:
    (venv / "bin/pip").unlink()


def no_python(venv: Path) -> None:
    (venv / "bin/python").unlink()


def broken_python(venv: Path) -> None:
    (venv / "bin/python").write_text("#!/bin/sh\nexit 1\n")


@pytest.mark.parametrize("damage", [no_pip, no_python, broken_python, shutil.rmtree])
def test_a_damaged_venv_is_made_anew(checkout: Checkout, damage: Callable[[Path], None]) -> None:
    checkout.install()
    damage(checkout.root / ".venv")
    assert checkout.install() == ["venv", "pip"]
    assert checkout.install() == []


def test_a_moved_checkout_is_installed_anew(checkout: Checkout) -> None:
    checkout.install()
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    assert checkout.install() == ["venv", "pip"]


def test_a_link_to_the_checkout_changes_nothing(checkout: Checkout, tmp_path: Path) -> None:
    checkout.install()
    (tmp_path / "link").symlink_to(checkout.root)
    checkout.root = tmp_path / "link"
    assert checkout.install() == []


def test_another_python_asks_for_it_again(checkout: Checkout) -> None:
    checkout.install()
    (checkout.notes / "version").write_text("3 12")
    assert checkout.install() == ["pip"]


def test_a_failed_installation_says_why_and_is_tried_again(checkout: Checkout) -> None:
    checkout.install()
    (checkout.root / "pyproject.toml").write_text("2")
    (checkout.notes / "pip-fails").touch()
    failed = checkout.run("install")
    assert failed.returncode == 1
    assert "no network" in failed.stderr
    (checkout.notes / "pip-fails").unlink()
    (checkout.root / "pyproject.toml").write_text("1")
    assert checkout.install() == ["pip"]


def test_selected_tests_leave_no_temporary_folder(checkout: Checkout) -> None:
    before = {path.name for path in checkout.notes.iterdir()}
    done = checkout.run("test", "tests/one of them.py", "-x")
    assert done.returncode == 3
    assert (checkout.notes / "pytest").read_text() == "-m pytest tests/one of them.py -x\n"
    assert {path.name for path in checkout.notes.iterdir()} - before == {"done", "pytest"}


def test_why_packages_cannot_be_installed_is_said(checkout: Checkout) -> None:
    checkout.program(checkout.notes / "dpkg-query", "#!/bin/sh\nexit 1\n")
    checkout.program(checkout.notes / "id", "#!/bin/sh\necho 0\n")
    checkout.program(
        checkout.notes / "apt-get", '#!/bin/sh\necho "E: $1: no network" >&2\nexit 1\n'
    )
    done = checkout.run("test", "x")
    assert "could not install them; the tests that need them will skip" in done.stderr
    assert "E: update: no network\n" in done.stderr
    assert done.returncode == 3
