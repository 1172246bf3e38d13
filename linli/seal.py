"""Pictures sealed for one reader: HPKE (RFC 9180) with X25519, HKDF-SHA256, ChaCha20-Poly1305.

A sealed picture is `LNS1`, the key's id (8 bytes), then what HPKE gives: who seals cannot open.
`about` says which picture it is; opened under another, it is refused.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SEALED = "application/vnd.linli.sealed"
"""The media type of a sealed picture."""
OVERHEAD = 60
"""Bytes that a sealed picture is longer."""
KEY_BYTES = 32
_MAGIC = b"LNS1"
_ID_BYTES = 8
_HEAD = len(_MAGIC) + _ID_BYTES
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def new_key() -> bytes:
    """Return a private key."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """Return the public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def id_of(public: bytes) -> str:
    """Return the id of a public key: 16 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()[: 2 * _ID_BYTES]


def about(site: str, node: str, picture: str) -> bytes:
    """Return what binds a sealed picture to what it is."""
    return f"linli picture {site}/{node}/{picture}".encode()


def seal(data: bytes, public: bytes, info: bytes) -> bytes:
    """Return `data` for the owner of a key alone. Raises ValueError for no key."""
    key = X25519PublicKey.from_public_bytes(public)
    return _MAGIC + bytes.fromhex(id_of(public)) + _SUITE.encrypt(data, key, info=info)


def key_of(sealed: bytes) -> str:
    """Return the id of the key that something is sealed for. Raises ValueError."""
    if len(sealed) < OVERHEAD or not sealed.startswith(_MAGIC):
        raise ValueError("not a sealed picture")
    return sealed[len(_MAGIC) : _HEAD].hex()


def opened(sealed: bytes, private: bytes, info: bytes) -> bytes:
    """Return what was sealed. Raises ValueError when it was changed, or is another picture."""
    key_of(sealed)
    try:
        return _SUITE.decrypt(
            sealed[_HEAD:], X25519PrivateKey.from_private_bytes(private), info=info
        )
    except InvalidTag:
        raise ValueError("it was not sealed so, or changed since") from None
