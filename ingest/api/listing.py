"""What every list of the API is made of."""

from __future__ import annotations

import msgspec


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Base of lists; `next` is the cursor of what follows, null at the end."""

    next: str | None = None
