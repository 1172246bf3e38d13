"""A browser's side of web push, and a push service that opens what it gets, as no real one can."""

from __future__ import annotations

import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from ingest.notify.push_desk import Browser, decoded, encoded
from ingest.notify.push_seal import _CURVE, _derived, _raw


class Handset:
    """A browser that heard of nothing yet."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key, self._auth = ec.generate_private_key(_CURVE), os.urandom(16)

    @property
    def subscription(self) -> dict[str, Any]:
        """What its page sends us."""
        point = encoded(_raw(self._key.public_key()))
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": point, "auth": encoded(self._auth)},
        }

    @property
    def browser(self) -> Browser:
        point = _raw(self._key.public_key())
        return Browser(endpoint=self.endpoint, p256dh=point, auth=self._auth)

    def opened(self, body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(opened(body, self._key, self._auth))
        return found


def opened(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Open one record as RFC 8188 and RFC 8291 say."""
    salt, length = body[:16], body[20]
    theirs, sealed = body[21 : 21 + length], body[21 + length :]
    assert int.from_bytes(body[16:20]) >= len(sealed)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs))
    info = b"WebPush: info\0" + _raw(key.public_key()) + theirs
    secret = _derived(shared, auth, info, 32)
    content = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    plain = AESGCM(content).decrypt(nonce, sealed, None)
    assert plain.endswith(b"\x02")
    return plain[:-1]


def claims(header: str) -> dict[str, Any]:
    """Check who signed, as a push service does, and return what was said."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    text, _, seal = parts["t"].rpartition(".")
    raw = decoded(seal)
    numbers = (int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, decoded(parts["k"]))
    key.verify(encode_dss_signature(*numbers), text.encode(), ec.ECDSA(SHA256()))
    head, body = (json.loads(decoded(part)) for part in text.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    found: dict[str, Any] = body
    return found | {"k": parts["k"]}
