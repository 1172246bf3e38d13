"""Pictures sealed for one reader: HPKE (RFC 9180) with X25519, HKDF-SHA256, ChaCha20-Poly1305.

A sealed picture is `LNS1`, the key's id (8 bytes), then what HPKE gives: who seals cannot open.
`about` says which picture it is; opened under another, it is refused.

The ciphers are 6 MB of a process, so they are loaded when a picture or a box comes that needs them.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import Suite

SEALED = "application/vnd.linli.sealed"
"""The media type of a sealed picture."""
OVERHEAD = 60
"""Bytes that a sealed picture is longer."""
KEY_BYTES = 32
_MAGIC = b"LNS1"
_ID_BYTES = 8
_HEAD = len(_MAGIC) + _ID_BYTES


def new_key() -> bytes:
    """Return a private key."""
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415

    return x25519.X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """Return the public key of a private one."""
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415

    return x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def id_of(public: bytes) -> str:
    """Return the id of a public key: 16 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()[: 2 * _ID_BYTES]


def about(site: str, node: str, picture: str) -> bytes:
    """Return what binds a sealed picture to what it is."""
    return f"linli picture {site}/{node}/{picture}".encode()


def seal(data: bytes, public: bytes, info: bytes) -> bytes:
    """Return `data` for the owner of a key alone. Raises ValueError for no key."""
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415

    key = x25519.X25519PublicKey.from_public_bytes(public)
    return _MAGIC + bytes.fromhex(id_of(public)) + _suite().encrypt(data, key, info=info)


def key_of(sealed: bytes) -> str:
    """Return the id of the key that something is sealed for. Raises ValueError."""
    if len(sealed) < OVERHEAD or not sealed.startswith(_MAGIC):
        raise ValueError("not a sealed picture")
    return sealed[len(_MAGIC) : _HEAD].hex()


def opened(sealed: bytes, private: bytes, info: bytes) -> bytes:
    """Return what was sealed. Raises ValueError when it was changed, or is another picture."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import x25519  # noqa: PLC0415

    key_of(sealed)
    key = x25519.X25519PrivateKey.from_private_bytes(private)
    try:
        return _suite().decrypt(sealed[_HEAD:], key, info=info)
    except InvalidTag:
        raise ValueError("it was not sealed so, or changed since") from None


@cache
def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite  # noqa: PLC0415

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
