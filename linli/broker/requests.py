"""What a box asks an authority to sign: a PKCS #10 request, of which only the key counts."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from linli.errors import InputError

LARGEST = 4096


def public_key_of(request: str) -> ec.EllipticCurvePublicKey:
    """Return the P-256 key that a request proves to hold. Names in it are not believed.

    Raises InputError.
    """
    try:
        found = x509.load_pem_x509_csr(request.encode("ascii")[:LARGEST])
        key, signed = found.public_key(), found.is_signature_valid
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise InputError("is no certificate request in PEM", where="request") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise InputError("its key is not P-256", where="request")
    if not signed:
        raise InputError("is not signed by its own key", where="request")
    return key


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of a public key, in hexadecimal."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()
