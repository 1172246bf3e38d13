"""Web push on the wire: sealed as RFC 8291 says, signed as RFC 8292 (VAPID) says.

The push service in between carries the message to a browser and cannot read it. Imported when it
is used: the cipher takes six megabytes, which an ingest without web push does not hold.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingest.notify.push_desk import Browser, decoded, encoded

RECORD = 4096
MOST_BYTES = RECORD - 86 - 16 - 1
"""Of a message before it is sealed: less the head, the tag and the mark of the last record."""
HOLDS = timedelta(hours=12)
"""How long a signature is good; services refuse more than 24 h."""
_CURVE = ec.SECP256R1()
_POINT, _AUTH, _SALT = 65, 16, 16


def public_of(number: int) -> str:
    """Return what browsers bind their subscription to: the public part of our key."""
    return encoded(_raw(ec.derive_private_key(number, _CURVE).public_key()))


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


def authorization(number: int, origin: str, contact: str, now: datetime) -> str:
    """Return the header that says who sends; each `origin` of a push service needs its own."""
    key = ec.derive_private_key(number, _CURVE)
    claims = {"aud": origin, "exp": int((now + HOLDS).timestamp()), "sub": contact}
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    text = ".".join(encoded(msgspec.json.encode(part)) for part in parts)
    numbers = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    seal = b"".join(number.to_bytes(32) for number in numbers)
    return f"vapid t={text}.{encoded(seal)}, k={encoded(_raw(key.public_key()))}"


def _raw(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
