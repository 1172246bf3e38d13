"""`linli sbom`: what is installed, said so that a scanner understands it."""

from __future__ import annotations

import json
import re
from importlib.metadata import version

from click.testing import CliRunner

from linli.cli.sbom import command


def test_every_package_is_there_once_with_its_version() -> None:
    done = CliRunner().invoke(command)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    parts = {one["name"]: one for one in found["components"]}
    assert len(parts) == len(found["components"]) > 20
    assert "linli" not in parts
    assert parts["msgspec"]["version"] == version("msgspec")
    for one in parts.values():
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@\S+", one["purl"])
    copyleft = re.compile(r"(?<!L)GPL|General Public License", re.IGNORECASE)
    said = {
        name: [text["license"]["name"] for text in one.get("licenses", ())]
        for name, one in parts.items()
    }
    assert any(said.values())
    shipped = {"msgspec", "click", "paho-mqtt", "sqlalchemy", "fastapi", "cryptography", "numpy"}
    assert not [name for name in shipped if any(copyleft.search(one) for one in said[name])]
