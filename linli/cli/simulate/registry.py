"""`linli simulate registry`: what there is, for the ingest to take in."""

from __future__ import annotations

import click

from ingest.registry import sheet
from ingest.registry.records import Device, Edge, Place, Record
from linli.cli.simulate.options import community_options
from linli.simulate.community import Community, community


@click.command(
    epilog="Example: linli simulate registry --site c001 --devices 120 > simulated.csv; "
    "linli ingest registry import simulated.csv --apply"
)
@community_options
def registry(site: str, devices: int, edges: int | None) -> None:
    """Print buildings, edges and devices as CSV; the site itself is the ingest's own."""
    click.echo(sheet.write(records(community(site, devices, edges)), "en"), nl=False)


def records(made: Community) -> list[Record]:
    """Return what the registry is to know of a made-up community."""
    found: list[Record] = []
    for box in made.boxes:
        label, english = box.labels
        place = f"{box.site}/{box.area}"
        found.append(Place(id=place, kind="building", label=label, label_en=english))
        found.append(
            Edge(id=box.id, label=f"{label}盒子", label_en=f"{english}, edge", place=place)
        )
    for one in made.devices:
        label, english = one.labels
        found.append(
            Device(
                id=f"{one.box.id}/{one.id}",
                kind=one.kind,
                label=label,
                label_en=english,
                capabilities=one.capabilities,
            )
        )
    return found
