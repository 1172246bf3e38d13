"""What is imported is what was packaged: nothing leaks in from a checkout, no name is taken."""

import importlib
import importlib.metadata
import os
from pathlib import Path

import pytest

from linli.resources import resource

PACKAGES = ("linli", "edge", "ingest", "dashboards")


@pytest.mark.skipif(
    "LINLI_INSTALLED" not in os.environ, reason="runs on the built wheel, by scripts/test"
)
@pytest.mark.parametrize("name", PACKAGES)
def test_the_packages_come_from_the_wheel(name: str) -> None:
    module = importlib.import_module(name)
    assert Path(str(module.__file__)).is_relative_to(os.environ["LINLI_INSTALLED"])


@pytest.mark.parametrize(
    "parts",
    [
        ("broker", "mosquitto.conf"),
        ("broker", "acl.conf"),
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
