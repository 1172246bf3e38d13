"""`linli simulate registry`: what there is, for the ingest to take in."""

from __future__ import annotations

import click

from ingest.registry import sheet
from ingest.registry.records import Device, Edge, Place, Record
from linli.cli.simulate.options import community_options
from linli.errors import InputError
from linli.simulate.community import Community, community

ROWS = 10_000
"""Of a part: half of what the ingest takes in at once, in rows and in bytes."""


@click.command(
    epilog="Example: linli simulate registry --site c001 --devices 120 > simulated.csv; "
    "linli ingest registry import simulated.csv --apply"
)
@community_options
@click.option("--part", type=click.IntRange(min=1), help=f"Only the Nth {ROWS:,} rows of it")
def registry(site: str, devices: int, edges: int | None, part: int | None) -> None:
    """Print buildings, edges and devices as CSV; the site itself is the ingest's own.

    The ingest takes in 20,000 rows at once: import a larger community in parts, one after another.
    """
    found = records(community(site, devices, edges))
    if part is not None:
        of = -(-len(found) // ROWS)
        if part > of:
            raise InputError(f"there are {of} parts, no {part}", where="--part")
        found = found[(part - 1) * ROWS : part * ROWS]
    click.echo(sheet.write(found, "en"), nl=False)


def records(made: Community) -> list[Record]:
    """Return what the registry is to know of a made-up community, what others need first."""
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
