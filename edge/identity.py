"""How this box comes by its identity: a code that is good once, and certificates it renews itself.

A key and its certificate are one PEM file, so that one rename changes both; the key is made here
and never leaves. A key that waits for its certificate stands beside it in `NAME.next`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import httpx2
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.settings import EdgeSettings
from edge.upload import TIMEOUT, back_off
from linli.durable import keep_names, write_whole
from linli.errors import InputError, LinkError, LinliError, StoreError
from linli.log import get_logger
from linli.settings import read_secret

log = get_logger(__name__)
T = TypeVar("T", bound=msgspec.Struct)

HOUR, MINUTE = 3600.0, 60.0
LEFT = 1 / 3
"""The share of its time that a certificate has left when it is renewed."""
_LARGEST = 64 * 1024


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Who this box is, as the ingest says."""

    site: str
    area: str
    node: str
    label: str
    access: Literal["certificates", "passwords"]
    host: str | None
    port: int
    ca: str | None


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate, None while nobody has signed it."""

    certificate: str | None = None
    refused: str | None = None


def new_key() -> str:
    """Return a key by which the ingest will know this box."""
    return secrets.token_urlsafe(32)


def join(client: httpx2.Client, server: str, code: str, key: str) -> Joined:
    """Join by a code. Raises InputError for one that cannot be used, LinkError."""
    url = f"{server.rstrip('/')}/api/v1/join"
    return _asked(client, "POST", url, {"code": code, "key": key}, Joined)


class Certificates:
    """Keeps the file of key and certificate of one box good."""

    def __init__(
        self, client: httpx2.Client, server: str, address: str, key: str, file: Path
    ) -> None:
        """`address` is site/node, known to the ingest by `key`; `file` holds both in PEM."""
        self._client = client
        self._url = f"{server.rstrip('/')}/api/v1/edge-certificate"
        self._headers = {"Authorization": f"Bearer {key}", "Linli-Node": address}
        self._name = address.rpartition("/")[2]
        self._file = file

    def ask(self) -> bool:
        """Ask once for a new one; tell whether it has come and is in the file. Raises LinliError.

        The same key is asked for until then, also after a restart.
        """
        next_file = self._file.with_name(f"{self._file.name}.next")
        kept = _key_in(next_file)
        key = kept or ec.generate_private_key(ec.SECP256R1())
        if kept is None:
            _write(next_file, _pem(key))
        body = {"request": _request(self._name, key)}
        try:
            found = _asked(self._client, "PUT", self._url, body, Signed, headers=self._headers)
        except InputError:
            next_file.unlink(missing_ok=True)  # this key will never have one
            raise
        if found.refused is not None:
            next_file.unlink(missing_ok=True)
            raise InputError(f"the broker's keeper refused: {found.refused}", where=self._url)
        if found.certificate is None:
            return False
        _check(found.certificate, key, self._url)
        _write(self._file, _pem(key) + found.certificate.encode())
        next_file.unlink(missing_ok=True)
        return True

    def due(self, now: datetime) -> bool:
        """Tell whether a third of its time is left, or there is none. Raises InputError."""
        try:
            made = x509.load_pem_x509_certificate(self._file.read_bytes())
        except FileNotFoundError:
            return True
        except (OSError, ValueError) as error:
            raise InputError(f"holds no certificate ({error})", where=str(self._file)) from None
        whole = made.not_valid_after_utc - made.not_valid_before_utc
        return now >= made.not_valid_after_utc - whole * LEFT


class Renewal:
    """Renews in a thread of its own; `renewed` is called when a new certificate is in the file.

    `certificates` tells which are this box's, None while nobody knows or it has none of ours.
    """

    def __init__(
        self,
        certificates: Callable[[], Certificates | None],
        renewed: Callable[[], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        every: float = HOUR,
    ) -> None:
        self._certificates = certificates
        self._renewed = renewed
        self._now = now
        self._every = every
        self._failures = 0

    def watch(self, stop: threading.Event) -> None:
        """Look at once and then again and again until told to stop."""
        pause = 0.0
        while not stop.wait(pause):
            pause = self.look()

    def look(self) -> float:
        """Look once; return the seconds until the next time."""
        try:
            found = self._certificates()
            if found is None:
                return min(self._every, MINUTE)
            if not found.due(self._now()):
                return self._every
            if not found.ask():
                return min(self._every, MINUTE)
        except LinliError as error:
            self._failures += 1
            if self._failures == 1:
                log.warning("certificate: %s; trying on", error)
            return max(MINUTE, back_off(self._failures, 1.0))
        self._failures = 0
        log.info("certificate: renewed")
        self._renewed()
        return self._every


def certificates_of(settings: EdgeSettings, client: httpx2.Client) -> Certificates | None:
    """Return the certificates of a box that joined, None of one that was set up otherwise.

    Raises InputError.
    """
    mqtt, ingest = settings.mqtt, settings.ingest
    if ingest is None or mqtt.cert_file is None or mqtt.cert_file != mqtt.key_file:
        return None
    node = settings.node
    key = read_secret(Path(ingest.key_file))
    return Certificates(client, ingest.url, f"{node.site}/{node.id}", key, Path(mqtt.cert_file))


def _asked(
    client: httpx2.Client,
    method: str,
    url: str,
    body: dict[str, str],
    kind: type[T],
    *,
    headers: dict[str, str] | None = None,
) -> T:
    try:
        answer = client.request(method, url, json=body, headers=headers, timeout=TIMEOUT)
    except httpx2.HTTPError as error:
        raise LinkError(
            f"cannot be reached ({str(error) or type(error).__name__})", where=url
        ) from None
    if answer.status_code in {400, 409, 410, 422}:
        raise InputError(_said(answer), where=url)
    if answer.status_code != 200 or len(answer.content) > _LARGEST:
        raise LinkError(f"HTTP {answer.status_code}", where=url)
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError:
        raise LinkError("the answer is none of an ingest", where=url) from None


def _said(answer: httpx2.Response) -> str:
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        found = None
    said = found.get("detail") if isinstance(found, dict) else None
    return str(said)[:300] if said else f"HTTP {answer.status_code}"


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
        keep_names(path.parent)
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where=str(path)) from None


def _key_in(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    return found if isinstance(found, ec.EllipticCurvePrivateKey) else None


def _request(name: str, key: ec.EllipticCurvePrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _check(text: str, key: ec.EllipticCurvePrivateKey, where: str) -> None:
    """Raise InputError unless this is a certificate of this key."""
    try:
        public = x509.load_pem_x509_certificate(text.encode()).public_key()
    except ValueError:
        raise InputError("the answer holds no certificate", where=where) from None
    if public != key.public_key():
        raise InputError("the certificate is of another key", where=where)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
