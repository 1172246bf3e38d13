"""What is imported is what was packaged: nothing leaks in from a checkout, no name is taken."""

import importlib
import importlib.metadata
import os
import subprocess
from pathlib import Path

import pytest

from linli.resources import resource

PACKAGES = ("linli", "edge", "ingest", "dashboards")


ON_WHEEL = pytest.mark.skipif(
    "LINLI_INSTALLED" not in os.environ, reason="runs on the built wheel, by scripts/test"
)


@ON_WHEEL
@pytest.mark.parametrize("name", PACKAGES)
def test_the_packages_come_from_the_wheel(name: str) -> None:
    module = importlib.import_module(name)
    assert Path(str(module.__file__)).is_relative_to(os.environ["LINLI_INSTALLED"])


@ON_WHEEL
def test_the_wheel_holds_every_file_of_the_checkout_as_it_is() -> None:
    checkout, installed = (Path(os.environ[f"LINLI_{one}"]) for one in ("CHECKOUT", "INSTALLED"))
    if not (checkout / ".git").exists():
        pytest.skip("only Git knows which files belong to it")
    command = ["git", "-C", str(checkout), "ls-files", "-z", *PACKAGES]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = [name for name in listed.split("\0") if name]
    assert len(names) > 500
    differing = [
        name
        for name in names
        if not (installed / name).is_file()
        or (installed / name).read_bytes() != (checkout / name).read_bytes()
    ]
    assert differing == []


@pytest.mark.parametrize(
    "parts",
    [
        ("broker", "mosquitto.conf"),
        ("broker", "acl.conf"),
        ("broker", "bridge.conf"),
        ("models", "catalog.toml"),
        ("models", "demo", "elevator.mp4"),
        ("dashboards", "web", "static", "dist", "app.js"),
        ("dashboards", "web", "locale", "zh_CN", "LC_MESSAGES", "messages.mo"),
    ],
)
def test_data_files_are_found(parts: tuple[str, ...]) -> None:
    assert resource(*parts).stat().st_size > 0


def test_nobody_else_owns_our_import_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in PACKAGES:
        assert set(owners.get(name, [])) <= {"linli"}


def test_no_test_folder_shadows_a_package() -> None:
    assert not list(Path(__file__).parent.rglob("__init__.py"))
