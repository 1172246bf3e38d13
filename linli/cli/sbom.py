"""`linli sbom`: what is installed beside Linli, as a CycloneDX document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from typing import Any

import click

_SAME = re.compile(r"[-_.]+")


@click.command(
    short_help="List what is installed, for audits.",
    epilog="Example: linli sbom > linli.cdx.json",
)
def command() -> None:
    """Print every Python package of this installation as CycloneDX 1.6, in JSON.

    Nothing is asked of the network; feed it to a scanner of known weaknesses wherever there is one.
    """
    click.echo(json.dumps(document(), ensure_ascii=False, indent=1))


def document() -> dict[str, Any]:
    """Return the document: the same for the same installation."""
    found = {_name(one): one for one in distributions() if one.metadata["Name"]}
    linli = found.pop("linli", None)
    version = linli.version if linli is not None else "0"
    own = {"type": "application", "name": "linli", "version": version, "bom-ref": "linli"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": [_component(name, found[name]) for name in sorted(found)],
    }


def _component(name: str, one: Distribution) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{one.version}"
    made: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": one.version,
        "purl": address,
        "bom-ref": address,
    }
    licences = [{"license": {"name": text}} for text in _licences(one)]
    return made | ({"licenses": licences} if licences else {})


def _licences(one: Distribution) -> Iterator[str]:
    """Yield what a package says of its licence: an expression, or else classifiers."""
    said = one.metadata.get_all("License-Expression")
    if said:
        yield from said
        return
    for line in one.metadata.get_all("Classifier") or ():
        if line.startswith("License ::"):
            yield line.rpartition("::")[2].strip()


def _name(one: Distribution) -> str:
    return _SAME.sub("-", one.metadata["Name"]).lower()
