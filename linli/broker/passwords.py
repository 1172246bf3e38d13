"""mosquitto's password file: what stands in it is a salted digest, never a password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

_ITERATIONS = 101


def password_hash(password: str) -> str:
    """Return mosquitto's PBKDF2-SHA512 form of a password."""
    salt = secrets.token_bytes(12)
    digest = _digest(password, salt, _ITERATIONS)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return f"$7${_ITERATIONS}$" + "$".join(encoded)


def fits(password: str, kept: str) -> bool:
    """Tell whether `kept` is a digest of this password."""
    try:
        _, kind, rounds, salt, digest = kept.split("$")
        wanted = base64.b64decode(digest, validate=True)
        made = _digest(password, base64.b64decode(salt, validate=True), int(rounds))
    except (ValueError, OverflowError, binascii.Error):
        return False
    return kind == "7" and hmac.compare_digest(made, wanted)


def password_file(passwords: Mapping[str, str], before: str) -> str:
    """Return the file for these identities; a line of `before` that still fits stays as it is."""
    old = dict(line.partition(":")[::2] for line in before.splitlines())
    kept = {name: old.get(name, "") for name in passwords}
    return "".join(
        f"{name}:{kept[name] if fits(password, kept[name]) else password_hash(password)}\n"
        for name, password in sorted(passwords.items())
    )


def _digest(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
