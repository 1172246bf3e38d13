"""What a made-up community consists of: buildings with an edge each, and devices behind these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from linli.errors import InputError
from linli.topics import Topic, is_id

Sort = Literal["lift", "lamp", "bin", "climate", "light", "smoke"]

FEWEST, MOST = 10, 100_000
PER_EDGE, MOST_EDGES = 50, 500
"""Devices behind an edge, until there are so many edges that each has to take more."""
_PATTERN: tuple[Sort, ...] = (
    *("lift", "lamp", "bin", "smoke", "climate", "lamp", "lamp", "bin", "light", "lamp"),
    *("lamp", "smoke", "lamp", "climate", "lamp", "bin", "lamp", "lamp", "smoke", "lamp"),
)
"""Ten devices of a building have all there is; twenty are half lamps."""
_KINDS: dict[Sort, str] = {
    "lift": "camera",
    "lamp": "lamp",
    "bin": "bin",
    "climate": "climate",
    "light": "light",
    "smoke": "smoke",
}
_LABELS: dict[Sort, tuple[str, str]] = {
    "lift": ("电梯", "lift"),
    "lamp": ("路灯", "lamp"),
    "bin": ("垃圾桶", "bin"),
    "climate": ("温湿度", "climate"),
    "light": ("光照", "light"),
    "smoke": ("烟感", "smoke detector"),
}
_CAPABILITIES: dict[Sort, tuple[str, ...]] = {
    "lift": ("event", "telemetry"),
    "lamp": ("lamp-fault", "on", "burning"),
    "bin": ("event", "telemetry"),
    "climate": ("humidity", "temperature"),
    "light": ("illuminance",),
    "smoke": ("battery", "smoke"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """The edge of a building; its id says that it is made up."""

    site: str
    number: int

    @property
    def id(self) -> str:
        """The node: client id, user and third level of its topics."""
        return f"{self.site}-sim{self.number:03}"

    @property
    def area(self) -> str:
        """Its building, the second level of its topics."""
        return f"sim{self.number:03}"

    @property
    def labels(self) -> tuple[str, str]:
        """What people call its building, in Chinese and in English."""
        return f"模拟{self.number}号楼", f"Simulated building {self.number}"

    def topic(self, device: str, kind: str, name: str) -> Topic:
        """Return where a device of this box speaks."""
        return Topic(self.site, self.area, self.id, device, kind, name)


@dataclass(frozen=True, slots=True)
class Device:
    """One device behind a box."""

    box: Box
    sort: Sort
    number: int

    @property
    def id(self) -> str:
        """Fourth level of its topics."""
        return f"{self.sort}-{self.number}"

    @property
    def kind(self) -> str:
        """What it is, as the registry has it; of a lift its camera speaks."""
        return _KINDS[self.sort]

    @property
    def labels(self) -> tuple[str, str]:
        """What people call it, in Chinese and in English."""
        chinese, english = _LABELS[self.sort]
        building, in_english = self.box.labels
        return f"{building}{chinese}{self.number}", f"{in_english}, {english} {self.number}"

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it can say."""
        return _CAPABILITIES[self.sort]


@dataclass(frozen=True, slots=True)
class Community:
    """All of it; nothing here depends on chance."""

    site: str
    boxes: tuple[Box, ...]
    devices: tuple[Device, ...]


def community(site: str, devices: int, edges: int | None = None) -> Community:
    """Return a community of so many devices, 10 to 100,000, behind edges of about 50.

    Raises InputError for a site that is no id or too long, or numbers that do not fit.
    """
    if not is_id(site) or len(site) > 20:
        raise InputError(f"must be an id of at most 20 characters, not {site!r}", where="--site")
    if not FEWEST <= devices <= MOST:
        raise InputError(f"must be {FEWEST} to {MOST}, not {devices}", where="--devices")
    number = min(-(-devices // PER_EDGE), MOST_EDGES) if edges is None else edges
    if not 1 <= number <= min(MOST_EDGES, devices // FEWEST):
        raise InputError(
            f"must be 1 to {min(MOST_EDGES, devices // FEWEST)} for {devices} devices,"
            f" not {number}",
            where="--edges",
        )
    boxes = tuple(Box(site, one + 1) for one in range(number))
    made: list[Device] = []
    for place, box in enumerate(boxes):
        size = devices // number + (place < devices % number)
        counts: dict[Sort, int] = {}
        for index in range(size):
            sort = _PATTERN[index % len(_PATTERN)]
            counts[sort] = counts.get(sort, 0) + 1
            made.append(Device(box, sort, counts[sort]))
    return Community(site, boxes, tuple(made))
