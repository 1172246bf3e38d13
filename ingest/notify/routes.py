"""Which team and ladder an incident goes to. Pure."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from linli.events import Severity, Slug

DEFAULT = "usual"
"""The ladder that everybody has, unless one of this name is written down."""


class Matter(NamedTuple):
    """What routes look at of an incident."""

    site: str
    building: str
    event: str
    severity: Severity


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which team and ladder an incident goes to; what is not given fits all."""

    team: Slug
    ladder: Slug = DEFAULT
    site: Slug | None = None
    building: Slug | None = None
    event: Slug | None = None
    severities: tuple[Severity, ...] = ()

    def fits(self, matter: Matter) -> bool:
        """Tell whether an incident goes this way."""
        return (
            self.site in (None, matter.site)
            and self.building in (None, matter.building)
            and self.event in (None, matter.event)
            and (not self.severities or matter.severity in self.severities)
        )


class Routes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All routes in their order: the first that fits wins."""

    routes: Annotated[tuple[Route, ...], Meta(max_length=256)] = ()

    def way(self, matter: Matter) -> Route | None:
        """Return the route of an incident; None: nobody thought of it."""
        return next((one for one in self.routes if one.fits(matter)), None)
