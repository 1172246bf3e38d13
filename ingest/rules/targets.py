"""What a rule is asked about: a device, a group, an area, the site. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.incidents.storm import NOWHERE
from ingest.rules.document import AbsenceRule, Per, RateRule
from ingest.rules.facts import Happening, Spot
from ingest.rules.rule_set import Active, Known, selects
from linli.topics import SELF

GROUP, AREA = "_group", "_area"
"""Stand for the node of what is no device; no id begins like this."""
_NO_DEVICE = frozenset({GROUP, AREA, NOWHERE})


def targets(
    active: Active[RateRule] | Active[AbsenceRule], spot: Spot, known: Known
) -> Iterator[tuple[str, Spot]]:
    """Yield name and place of each target that a fact of a device counts for."""
    if not active.fits(spot, known):
        return
    per: Per = active.rule.per
    if per == "device":
        yield spot.name, Spot(spot.site, spot.area, spot.node, spot.device, spot.subject)
    elif per == "area":
        yield _wide(spot, AREA, spot.area, spot.area)
    elif per == "site":
        yield _wide(spot, NOWHERE, NOWHERE, NOWHERE)
    else:
        for group in active.groups:
            if selects(group, spot, known):
                yield _wide(spot, GROUP, group.id, NOWHERE)


def episode_target(fact: Happening) -> str:
    """Return the target of one episode that goes on at a device."""
    return f"{fact.spot.name}/{fact.name}/{fact.spot.zone or '-'}/{fact.fact.episode}"


def box(spot: Spot) -> Spot:
    """Return the place of the node that a fact came by."""
    return Spot(spot.site, spot.area, spot.node, SELF)


def is_device(spot: Spot) -> bool:
    """Tell whether a target is a device or box, which the registry knows."""
    return spot.node not in _NO_DEVICE


def _wide(spot: Spot, kind: str, name: str, area: str) -> tuple[str, Spot]:
    return f"{kind}/{name}", Spot(spot.site, area, kind, name)
