"""People and programs that may come in, and what their roles allow."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, get_args

import msgspec

from ingest.refusal import NotAllowed

Role = Literal["duty", "supervisor", "community", "street", "integrator", "admin"]
Right = Literal["see", "look", "act", "command", "arrange", "administer"]
"""`see` what happens; `look` at pictures; `act` on incidents and orders; `command` doors, lamps and
speech; `arrange` rules, rosters, zones, plans and channels; `administer` accounts,
tokens, the registry and keys."""
Scope = Right
Kind = Literal["user", "person", "team", "integrator", "screen", "cli"]
ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: tuple[Right, ...] = get_args(Right)

_RIGHTS: dict[Role, frozenset[Right]] = {
    "duty": frozenset({"see", "look", "act", "command"}),
    "supervisor": frozenset({"see", "look", "act", "command", "arrange"}),
    "community": frozenset({"see", "look", "act"}),
    "street": frozenset({"see"}),
    "integrator": frozenset({"see", "act", "command"}),
    "admin": frozenset(RIGHTS),
}
WORKING: frozenset[Role] = frozenset({"duty", "supervisor", "community", "admin"})
"""Roles of people who can be given an order."""


def rights_of(role: Role) -> frozenset[Right]:
    """Return what a role allows."""
    return _RIGHTS[role]


NOWHERE = ("/",)
"""Areas of which there is none: no id has a slash."""


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking: an account by its session, or a program by its API token."""

    account: str
    name: str
    role: Role
    scopes: frozenset[Scope] | None = None
    """What a token or a link is limited to; None for a person who signed in."""
    kind: Kind = "user"
    """`person` or `team` for the recipient of a link, `integrator` for another system that asks by
    the broker, `screen` for one on a wall, `cli` for whoever sits at the server; none of them need
    have an account."""
    areas: frozenset[str] | None = None
    """The areas (`b03`) of which alone this viewer may know anything; None for the whole site."""

    @property
    def actor(self) -> str:
        """How this viewer is written in an incident's history."""
        return f"{self.kind}:{self.name}"

    def may(self, right: Right) -> bool:
        """Tell whether the role, and the token if there is one, allow it, somewhere at least."""
        return right in _RIGHTS[self.role] and (self.scopes is None or right in self.scopes)

    def may_everywhere(self, right: Right) -> bool:
        """Tell whether it is allowed in the whole site, as `require` demands."""
        return self.areas is None and self.may(right)

    def require(self, right: Right) -> None:
        """Raise NotAllowed unless it is allowed in the whole site.

        What concerns single areas calls `within` instead, and keeps to them.
        """
        if self.within(right) is not None:
            raise NotAllowed("this concerns the whole site, and the account is limited to areas")

    def within(self, right: Right) -> frozenset[str] | None:
        """Return the areas in which it is allowed, None for all. Raises NotAllowed.

        Who calls this must keep to them: what lies elsewhere is not there.
        """
        if right not in _RIGHTS[self.role]:
            raise NotAllowed(f"the role {self.role} does not allow this ({right})")
        if not self.may(right):
            raise NotAllowed(f"this token or link does not allow this ({right})")
        return self.areas

    def narrow(self, right: Right, wanted: Collection[str] = ()) -> Collection[str]:
        """Return of the areas that are asked for (none: all) those in which it is allowed.

        An empty answer means all, as in the question. Raises NotAllowed.
        """
        areas = self.within(right)
        if areas is None:
            return wanted
        return sorted(areas & set(wanted) if wanted else areas) or NOWHERE

    def knows(self, area: str | None) -> bool:
        """Tell whether what is in this area exists for this viewer."""
        return self.areas is None or area in self.areas


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person who can sign in."""

    id: str
    name: str
    role: Role
    created: datetime
    disabled: bool = False
    areas: frozenset[str] | None = None
    """What this person is limited to; None for the whole site."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A person signed in from one browser. `csrf` goes into every form as `csrf_token`."""

    viewer: Viewer
    csrf: str
    expires: datetime


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a right password: `token` is the cookie's value, told this once."""

    token: str
    session: Session
