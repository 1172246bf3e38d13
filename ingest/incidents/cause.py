"""What takes what down with it: an outage is part of the outage of what the thing hangs behind.

Pure. A camera hangs behind its edge box, and behind whatever the registry says: a switch, a power
cabinet. The registry allows no circles; one that came about all the same does no harm here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from linli.topics import SELF

Wiring = Mapping[str, Sequence[str]]
"""What things hang behind directly, as the registry has it: each is `node` or `node/device`."""
DEEPEST = 16
SETTLE = timedelta(seconds=120)
"""What hangs behind a thing that is back has this long to come back too."""


def thing_of(node: str, device: str) -> str:
    """Return the name of a device, or of the node that it stands for."""
    return node if device == SELF else f"{node}/{device}"


def above(one: str, wiring: Wiring) -> tuple[str, ...]:
    """Return everything whose failure takes a thing down, what is farthest from it first."""
    depth: dict[str, int] = {}
    level = {one}
    for far in range(1, DEEPEST + 1):
        level = {found for each in level for found in _direct(each, wiring)} - {one}
        if not level:
            break
        depth.update(dict.fromkeys(level, far))
    return tuple(sorted(depth, key=lambda found: (-depth[found], found)))


def root(one: str, outages: Mapping[str, str], wiring: Wiring) -> str | None:
    """Return the outage that explains this thing's own, that farthest from it; None: none does."""
    return next((outages[found] for found in above(one, wiring) if found in outages), None)


def _direct(one: str, wiring: Wiring) -> Iterable[str]:
    yield from wiring.get(one, ())
    node, slash, _ = one.partition("/")
    if slash:
        yield node
