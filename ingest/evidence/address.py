"""Short addresses of pictures: signed, bound to who asked, and good for a minute. Pure."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

LASTS = 60
"""Seconds."""


def sign(secret: bytes, evidence: str, account: str, purpose: str, expires: int) -> str:
    """Return the signature of one address; `expires` in seconds since 1970 UTC."""
    text = "\n".join(("evidence", evidence, account, purpose, str(expires)))
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def expiry(now: datetime) -> int:
    """Return when an address made now ends."""
    return int(now.timestamp()) + LASTS


def still_good(expires: int, now: datetime) -> bool:
    """Tell whether the address has not ended, and was not made for longer than allowed."""
    return 0 <= expires - now.timestamp() <= LASTS
