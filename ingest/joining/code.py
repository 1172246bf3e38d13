"""A code that a person types on a box: short, without letters that look alike. Pure."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
"""60 bits: with ten wrong tries a quarter of an hour nobody guesses it."""
_ALIKE = str.maketrans("OIL", "011")


def fresh() -> str:
    """Return a new code, as it is shown: ABCD-EFGH-JKMN."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(text[start : start + 4] for start in range(0, _LENGTH, 4))


def plain(typed: str) -> str:
    """Return a code as it is compared: letters that look alike are one, the rest goes."""
    return "".join(one for one in typed.upper().translate(_ALIKE) if one in _ALPHABET)
