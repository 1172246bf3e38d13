"""How this box comes by its identity: a code that is good once, then a certificate or a password.

A key and its certificate are one PEM file, so that one rename changes both. Keys and passwords are
made here and never leave. One that waits for the broker's keeper stands beside it in `NAME.next`.
"""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
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
A = TypeVar("A", bound="Answer")

MINUTE = 60.0
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


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request; `refused` says why nothing ever will."""

    refused: str | None = None


class Signed(Answer, frozen=True, kw_only=True):
    """The certificate, None while nobody has signed it."""

    certificate: str | None = None


class Taken(Answer, frozen=True, kw_only=True):
    """When the broker took a password, None before."""

    done: datetime | None = None


def new_key() -> str:
    """Return a key by which the ingest will know this box, or a password."""
    return secrets.token_urlsafe(32)


def join(client: httpx2.Client, server: str, code: str, key: str) -> Joined:
    """Join by a code. Raises InputError for one that cannot be used, LinkError."""
    url = f"{server.rstrip('/')}/api/v1/join"
    return _asked(client, "POST", url, {"code": code, "key": key}, Joined)


class Proof(ABC):
    """What a box proves itself with at the broker.

    `what` it is called, `file` where it is, `holds` what people are told of that.
    """

    what = ""
    holds = ""
    _path = ""

    def __init__(
        self, client: httpx2.Client, server: str, address: str, key: str, file: Path
    ) -> None:
        """`address` is site/node, known to the ingest by `key`."""
        self.file = file
        self._client = client
        self._url = f"{server.rstrip('/')}/api/v1/{self._path}"
        self._headers = {"Authorization": f"Bearer {key}", "Linli-Node": address}
        self._name = address.rpartition("/")[2]
        self._next = file.with_name(f"{file.name}.next")

    @abstractmethod
    def ask(self) -> bool:
        """Ask once for another; tell whether it has come and is in the file. Raises LinliError.

        The same one is asked for until then, also after a restart.
        """

    @abstractmethod
    def renew(self, now: datetime) -> bool:
        """Ask once if another is needed; tell whether it has come. Raises LinliError."""

    def _answer(self, body: dict[str, str], kind: type[A]) -> A:
        """Return what became of a request; one that was refused is not made again. LinliError."""
        try:
            found = _asked(self._client, "PUT", self._url, body, kind, headers=self._headers)
        except InputError:
            self._next.unlink(missing_ok=True)
            raise
        if found.refused is not None:
            self._next.unlink(missing_ok=True)
            raise InputError(f"the broker's keeper refused: {found.refused}", where=self._url)
        return found


class Certificates(Proof):
    """Keeps the file of key and certificate of one box good; it holds both in PEM."""

    what = "certificate"
    holds = "key and certificate, renewed by the edge itself"
    _path = "edge-certificate"

    def ask(self) -> bool:
        """Ask once for a certificate, of a new key."""
        kept = _key_in(self._next)
        key = kept or ec.generate_private_key(ec.SECP256R1())
        if kept is None:
            _write(self._next, _pem(key))
        found = self._answer({"request": _request(self._name, key)}, Signed)
        if found.certificate is None:
            return False
        _check(found.certificate, key, self._url)
        _write(self.file, _pem(key) + found.certificate.encode())
        self._next.unlink(missing_ok=True)
        return True

    def renew(self, now: datetime) -> bool:
        """Ask once when a third of its time is left, or there is none."""
        return self.due(now) and self.ask()

    def due(self, now: datetime) -> bool:
        """Tell whether another is needed. Raises InputError."""
        try:
            made = x509.load_pem_x509_certificate(self.file.read_bytes())
        except FileNotFoundError:
            return True
        except (OSError, ValueError) as error:
            raise InputError(f"holds no certificate ({error})", where=str(self.file)) from None
        whole = made.not_valid_after_utc - made.not_valid_before_utc
        return now >= made.not_valid_after_utc - whole * LEFT


class Passwords(Proof):
    """Keeps the password of one box, of which the broker and its keeper know a digest alone."""

    what = "password"
    holds = "the password, which no other machine has"
    _path = "edge-password"

    def ask(self) -> bool:
        """Ask once that the broker take a new password; the older one ends with that."""
        return self._asked_for(*(_password_in(self._next) or self._fresh()))

    def renew(self, now: datetime) -> bool:
        """Ask once for one that waits, or when there is none: by itself a password does not end.

        What waits may be a command's beside us, which ends it: then nobody wants another.
        """
        del now
        waiting = _password_in(self._next)
        if waiting is None and self.file.exists():
            return False
        return self._asked_for(*(waiting or self._fresh()))

    def _asked_for(self, password: str, digest: str) -> bool:
        if self._answer({"digest": digest}, Taken).done is None:
            return False
        _write(self.file, f"{password}\n".encode())
        self._next.unlink(missing_ok=True)
        return True

    def _fresh(self) -> tuple[str, str]:
        # Its package is for this moment, not for years of memory.
        from linli.broker.passwords import password_hash  # noqa: PLC0415

        password = new_key()
        digest = password_hash(password)
        _write(self._next, f"{password}\n{digest}\n".encode())
        return password, digest


class Renewal:
    """Renews in a thread of its own; `renewed` is called when a new one is in the file.

    `proof` tells what this box has, None while nobody knows or it came by none of ours.
    """

    def __init__(
        self,
        proof: Callable[[], Proof | None],
        renewed: Callable[[], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._proof = proof
        self._renewed = renewed
        self._now = now
        self._failures = 0

    def watch(self, stop: threading.Event) -> None:
        """Look at once and then again and again until told to stop."""
        pause = 0.0
        while not stop.wait(pause):
            pause = self.look()

    def look(self) -> float:
        """Look once; return the seconds until the next time."""
        try:
            found = self._proof()
            if found is None or not found.renew(self._now()):
                return MINUTE
        except LinliError as error:
            self._failures += 1
            if self._failures == 1:
                log.warning("identity at the broker: %s; trying on", error)
            return max(MINUTE, back_off(self._failures, 1.0))
        self._failures = 0
        log.info("identity at the broker: renewed")
        self._renewed()
        return MINUTE


def proof_of(settings: EdgeSettings, client: httpx2.Client) -> Proof | None:
    """Return what a box that joined proves itself with, None of one that was set up otherwise.

    Raises InputError.
    """
    mqtt, ingest, node = settings.mqtt, settings.ingest, settings.node
    kind: type[Proof]
    if mqtt.cert_file is not None and mqtt.cert_file == mqtt.key_file:
        kind, file = Certificates, mqtt.cert_file
    elif mqtt.password_file is not None and mqtt.cert_file is None:
        kind, file = Passwords, mqtt.password_file
    else:
        return None
    if ingest is None:
        return None
    key = read_secret(Path(ingest.key_file))
    return kind(client, ingest.url, f"{node.site}/{node.id}", key, Path(file))


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


def _password_in(path: Path) -> tuple[str, str] | None:
    """Return the password that waits, and the digest under which it was asked for."""
    try:
        password, digest = path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return password, digest


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
