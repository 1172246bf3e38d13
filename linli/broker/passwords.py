"""mosquitto's password file: what stands in it is a salted digest, never a password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

_ITERATIONS = 101
_MOST_ITERATIONS = 10_000
"""mosquitto works them out for each connection, and serves nobody meanwhile."""
_DIGEST = re.compile(r"\$7\$([1-9][0-9]{0,5})\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==")


def password_hash(password: str) -> str:
    """Return mosquitto's PBKDF2-SHA512 form of a password."""
    salt = secrets.token_bytes(12)
    digest = _digest(password, salt, _ITERATIONS)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return f"$7${_ITERATIONS}$" + "$".join(encoded)


def is_digest(text: str) -> bool:
    """Tell whether this is a digest that a broker may be given from outside.

    It is one line of the form that `password_hash` returns, neither weaker nor dear to work out.
    """
    found = _DIGEST.fullmatch(text)
    return found is not None and _ITERATIONS <= int(found.group(1)) <= _MOST_ITERATIONS


def fits(password: str, kept: str) -> bool:
    """Tell whether `kept` is a digest of this password."""
    try:
        _, kind, rounds, salt, digest = kept.split("$")
        wanted = base64.b64decode(digest, validate=True)
        made = _digest(password, base64.b64decode(salt, validate=True), int(rounds))
    except (ValueError, OverflowError, binascii.Error):
        return False
    return kind == "7" and hmac.compare_digest(made, wanted)


def password_file(kept: Mapping[str, str], before: str) -> str:
    """Return the file for these identities, of which a password or its digest is kept.

    A line of `before` that fits a password stays as it is.
    """
    old = dict(line.partition(":")[::2] for line in before.splitlines())
    return "".join(
        f"{name}:{_line(secret, old.get(name, ''))}\n" for name, secret in sorted(kept.items())
    )


def _line(secret: str, before: str) -> str:
    if is_digest(secret):
        return secret
    return before if fits(secret, before) else password_hash(secret)


def _digest(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
