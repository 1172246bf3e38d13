"""People and programs that may come in, and what their roles allow."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

from ingest.refusal import NotAllowed

Role = Literal["admin", "staff", "viewer"]
Right = Literal["see", "act", "administer"]
Scope = Literal["see", "act", "administer"]
Kind = Literal["user", "person", "team", "integrator"]
ROLES: tuple[Role, ...] = get_args(Role)

_RIGHTS: dict[Role, frozenset[Right]] = {
    "admin": frozenset({"see", "act", "administer"}),
    "staff": frozenset({"see", "act"}),
    "viewer": frozenset({"see"}),
}


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking: an account by its session, or a program by its API token."""

    account: str
    name: str
    role: Role
    scopes: frozenset[Scope] | None = None
    """What a token or a link is limited to; None for a person who signed in."""
    kind: Kind = "user"
    """`person` or `team` for the recipient of a link, `integrator` for another system that asks by
    the broker; none of them need have an account."""

    @property
    def actor(self) -> str:
        """How this viewer is written in an incident's history."""
        return f"{self.kind}:{self.name}"

    def may(self, right: Right) -> bool:
        """Tell whether the role, and the token if there is one, allow it."""
        return right in _RIGHTS[self.role] and (self.scopes is None or right in self.scopes)

    def require(self, right: Right) -> None:
        """Raise NotAllowed unless the role, and the token if there is one, allow it."""
        if right not in _RIGHTS[self.role]:
            raise NotAllowed(f"the role {self.role} does not allow this ({right})")
        if not self.may(right):
            raise NotAllowed(f"this token or link does not allow this ({right})")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person who can sign in."""

    id: str
    name: str
    role: Role
    created: datetime
    disabled: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A person signed in from one browser. `csrf` goes into every form as `csrf_token`."""

    viewer: Viewer
    csrf: str
    expires: datetime


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a right password: `token` is the cookie's value, told this once."""

    token: str
    session: Session
