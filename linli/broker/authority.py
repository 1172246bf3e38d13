"""A small certificate authority for one community's broker: P-256, one folder, one list.

```
ca.key       its key (0600); whoever has it is every identity
ca.crt       its certificate, for everybody
crl.pem      what is revoked, for the broker
issued.json  what was issued, to whom, until when
```
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from linli.broker.files import read, replace
from linli.errors import InputError
from linli.settings import make_folder

KEY, CERTIFICATE, REVOKED, LIST = "ca.key", "ca.crt", "crl.pem", "issued.json"
_AUTHORITY_DAYS = 3650
_SLACK = timedelta(days=1)
"""Certificates begin a day early: clocks of boxes are not all right."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate that was issued; `serial` is hexadecimal."""

    name: str
    serial: str
    until: datetime
    server: bool = False
    revoked: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """Tell whether the broker takes it now."""
        return self.revoked is None and now < self.until


class Issued(msgspec.Struct, frozen=True):
    """A fresh certificate and its key, in PEM."""

    entry: Entry
    certificate: bytes
    key: bytes


class _Issuer(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    own: x509.Certificate


class Authority:
    """The authority in `folder`. Every method raises InputError where files are not usable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str, now: datetime) -> None:
        """Make it; it must not be there yet. An authority made anew voids every certificate."""
        make_folder(self._folder)
        with self._locked():
            if (self._folder / KEY).exists():
                raise InputError(
                    "there is an authority already",
                    where=str(self._folder),
                    hint="A new one would void every certificate that this one issued",
                )
            key = ec.generate_private_key(ec.SECP256R1())
            made = _authority(name, key, now)
            replace(self._folder / KEY, _pem_of(key))
            replace(self._folder / CERTIFICATE, _pem(made), mode=0o644)
            self._keep((), key, made, now)

    def issue(self, name: str, now: datetime, *, days: int, hosts: Collection[str] = ()) -> Issued:
        """Issue a certificate for an identity, or with `hosts` for the broker under these names.

        Older ones of the same name stay valid until they end or are revoked. Raises InputError.
        """
        fresh = ec.generate_private_key(ec.SECP256R1())
        entry, made = self._certify(name, fresh.public_key(), now, days=days, hosts=hosts)
        return Issued(entry, made, _pem_of(fresh))

    def sign(
        self, name: str, key: ec.EllipticCurvePublicKey, now: datetime, *, days: int
    ) -> tuple[Entry, bytes]:
        """Certify the key of an identity, which alone holds its other half; return it in PEM."""
        return self._certify(name, key, now, days=days)

    def _certify(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        now: datetime,
        *,
        days: int,
        hosts: Collection[str] = (),
    ) -> tuple[Entry, bytes]:
        with self._locked():
            ours, own = self._own()
            until = min(now + timedelta(days=days), own.not_valid_after_utc)
            made = _leaf(name, key, _Issuer(ours, own), (now - _SLACK, until), hosts)
            entry = Entry(
                name=name, serial=f"{made.serial_number:x}", until=until, server=bool(hosts)
            )
            self._keep((*self.entries(), entry), ours, own, now)
            return entry, _pem(made)

    def revoke(self, name: str, now: datetime) -> tuple[Entry, ...]:
        """Revoke all certificates of a name that are valid, and return them."""
        with self._locked():
            key, own = self._own()
            known = self.entries()
            gone = tuple(one for one in known if one.name == name and one.valid(now))
            after = tuple(
                msgspec.structs.replace(one, revoked=now) if one in gone else one for one in known
            )
            self._keep(after, key, own, now)
            return gone

    def entries(self) -> tuple[Entry, ...]:
        """Return what was issued, oldest first."""
        path = self._folder / LIST
        text = read(path)
        if text is None:
            raise InputError(
                "there is no authority here",
                where=str(self._folder),
                hint="Make one with: linli broker ca",
            )
        try:
            return msgspec.json.decode(text, type=tuple[Entry, ...])
        except msgspec.ValidationError as error:
            raise InputError(f"not a list of certificates ({error})", where=str(path)) from None
        except msgspec.DecodeError:
            raise InputError("not a list of certificates", where=str(path)) from None

    def certificate(self) -> x509.Certificate:
        """Return its own certificate."""
        return self._own()[1]

    def _own(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        self.entries()
        path = self._folder / KEY
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            own = x509.load_pem_x509_certificate((self._folder / CERTIFICATE).read_bytes())
        except (OSError, ValueError, TypeError):
            raise InputError("its key or certificate cannot be read", where=str(path)) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InputError("not a key that Linli made", where=str(path))
        return key, own

    def _keep(
        self,
        entries: tuple[Entry, ...],
        key: ec.EllipticCurvePrivateKey,
        own: x509.Certificate,
        now: datetime,
    ) -> None:
        """Write list and revocations: the list first, since what it lacks cannot be revoked."""
        listed = msgspec.json.format(msgspec.json.encode(entries))
        replace(self._folder / LIST, listed)
        replace(self._folder / REVOKED, _revocations(entries, key, own, now), mode=0o644)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            opened = (self._folder / ".lock").open("w")
        except OSError as error:
            raise InputError(
                f"there is no authority here that can be used ({error.strerror})",
                where=str(self._folder),
                hint="Make one with: linli broker ca",
            ) from None
        with opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield


def _authority(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: _Issuer,
    span: tuple[datetime, datetime],
    hosts: Collection[str],
) -> x509.Certificate:
    """Return a certificate that serves one purpose only: no server's is an identity's."""
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(issuer.own.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        .add_extension(above, critical=False)
    )
    if hosts:
        names = x509.SubjectAlternativeName([_host(one) for one in hosts])
        made = made.add_extension(names, critical=False)
    return made.sign(issuer.key, hashes.SHA256())


def _revocations(
    entries: tuple[Entry, ...],
    key: ec.EllipticCurvePrivateKey,
    own: x509.Certificate,
    now: datetime,
) -> bytes:
    """Return the list; it holds as long as the authority, since an old one locks everybody out."""
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(own.subject)
        .last_update(now - _SLACK)
        .next_update(own.not_valid_after_utc)
    )
    for one in entries:
        if one.revoked is not None:
            made = made.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(one.serial, 16))
                .revocation_date(one.revoked)
                .build()
            )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        pass
    try:
        return x509.DNSName(text)
    except ValueError:
        raise InputError(f"{text!r} is no host name", where="--host") from None


def _pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
