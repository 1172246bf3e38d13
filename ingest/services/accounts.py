"""Signing in and out."""

from __future__ import annotations

from datetime import datetime

from ingest.accounts.account import Session, SignedIn, Viewer


class AccountService:
    """Passwords, sessions and API tokens at the door."""

    def login(self, name: str, password: str, address: str, now: datetime) -> SignedIn:
        """Return a new session. Raises SignInNeeded, the same for every reason."""
        raise NotImplementedError

    def logout(self, token: str, now: datetime) -> None:
        """End the session of this cookie, if there is one."""
        raise NotImplementedError

    def session(self, token: str | None, now: datetime) -> Session | None:
        """Return the session of this cookie, None when there is none or it ended."""
        raise NotImplementedError

    def bearer(self, token: str, now: datetime) -> Viewer | None:
        """Return whose API token this is, None when nobody's."""
        raise NotImplementedError

    def csrf_ok(self, session: Session, given: str | None) -> bool:
        """Tell whether a form carries this session's token."""
        raise NotImplementedError
