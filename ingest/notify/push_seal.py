"""Web push on the wire: sealed as RFC 8291 says, signed as RFC 8292 (VAPID) says.

The push service in between carries the message to a browser and cannot read it.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from linli.errors import InputError
from linli.settings import read_secret, write_secret

KEY_FILE = "push-key"
RECORD = 4096
MOST_BYTES = RECORD - 86 - 16 - 1
"""Of a message before it is sealed: less the head, the tag and the mark of the last record."""
HOLDS = timedelta(hours=12)
"""How long a signature is good; services refuse more than 24 h."""
_CURVE = ec.SECP256R1()
_POINT, _AUTH, _SALT = 65, 16, 16


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser hears, and what only it can open: its public key and its secret."""

    endpoint: str
    p256dh: bytes
    auth: bytes


class PushKey:
    """Our own key, by which push services know us; in a file that only the service may read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE
        self._lock = threading.Lock()
        self._known: ec.EllipticCurvePrivateKey | None = None

    def __call__(self) -> ec.EllipticCurvePrivateKey:
        """Return it, made when missing. Raises InputError when the file cannot be used."""
        with self._lock:
            if self._known is None:
                if not self._path.exists():
                    made = ec.generate_private_key(_CURVE).private_numbers().private_value
                    write_secret(self._path, f"{made:064x}")
                try:
                    number = int(read_secret(self._path), 16)
                    self._known = ec.derive_private_key(number, _CURVE)
                except ValueError:
                    raise InputError(
                        "is no key of ours",
                        where=str(self._path),
                        hint="Remove it; every phone must then be added again",
                    ) from None
            return self._known

    @property
    def public(self) -> str:
        """What browsers bind their subscription to. Raises InputError."""
        return encoded(_raw(self().public_key()))


def browser_of(endpoint: str, p256dh: str, auth: str) -> Browser:
    """Return a browser's subscription from the texts that it gives. Raises ValueError."""
    point, secret = decoded(p256dh), decoded(auth)
    if len(point) != _POINT or len(secret) != _AUTH:
        raise ValueError("the keys have another length")
    ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    return Browser(endpoint=endpoint, p256dh=point, auth=secret)


def sealed(
    message: bytes,
    to: Browser,
    *,
    salt: bytes | None = None,
    sender: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return one record of `aes128gcm`. Raises ValueError for a message that is too long."""
    if len(message) > MOST_BYTES:
        raise ValueError(f"a message has at most {MOST_BYTES} bytes")
    salt, sender = salt or os.urandom(_SALT), sender or ec.generate_private_key(_CURVE)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.p256dh)
    ours = _raw(sender.public_key())
    shared = sender.exchange(ec.ECDH(), theirs)
    secret = _derived(shared, to.auth, b"WebPush: info\0" + to.p256dh + ours, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD.to_bytes(4) + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, message + b"\x02", None)


def authorization(key: ec.EllipticCurvePrivateKey, origin: str, contact: str, now: datetime) -> str:
    """Return the header that says who sends; each `origin` of a push service needs its own."""
    claims = {"aud": origin, "exp": int((now + HOLDS).timestamp()), "sub": contact}
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    text = ".".join(encoded(msgspec.json.encode(part)) for part in parts)
    numbers = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    seal = b"".join(number.to_bytes(32) for number in numbers)
    return f"vapid t={text}.{encoded(seal)}, k={encoded(_raw(key.public_key()))}"


def encoded(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes of base64url, padded or not. Raises ValueError."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def _raw(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
