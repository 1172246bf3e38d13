"""Passwords: made by us, kept as argon2id, checked in the same time whether or not known."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST = 10
LONGEST = 128
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_GROUPS, _GROUP = 4, 4

# 19 MiB and two rounds: the least that is advised for argon2id. A server with 200 MiB can afford
# no more, and at once only for a few.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(2)
_NOBODY = _HASHER.hash(secrets.token_hex(16))


def generate() -> str:
    """Return a new password that can be read aloud, of about 79 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def hashed(password: str) -> str:
    """Return what may be stored of a password."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(password: str, stored: str | None) -> bool:
    """Tell whether it is the password; None, nobody's, takes as long as a wrong one."""
    with _AT_ONCE:
        try:
            _HASHER.verify(stored or _NOBODY, password[:LONGEST])
        except (Argon2Error, InvalidHashError):
            return False
    return stored is not None
