"""`[backup]` of `ingest.toml`: for whom, where to, when, how many archives stay."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from linli.settings import Settings, is_web_address

_Some = Annotated[int, Meta(ge=0, le=366)]
_Text = Annotated[str, Meta(min_length=1, max_length=1024)]


class BackupPlace(Settings, frozen=True, kw_only=True):
    """A place for archives: a folder, `sftp://user@host:port/folder` or `s3://bucket/prefix`.

    SFTP: `key_file` is the private key, `host_key` the server's public one as it stands in
    known_hosts (`ssh-ed25519 AAAA…`). S3: `endpoint` is the server's address, `access_key` the id
    of the key whose secret is in `secret_file`.
    """

    to: _Text
    key_file: str | None = None
    host_key: _Text | None = None
    endpoint: _Text | None = None
    region: _Text = "us-east-1"
    access_key: _Text | None = None
    secret_file: str | None = None

    def __post_init__(self) -> None:
        scheme = urlsplit(self.to).scheme if "://" in self.to else ""
        if scheme not in {"", "sftp", "s3"}:
            raise ValueError(f"to: {scheme}:// is no place; use a folder, sftp:// or s3://")
        needs = {"": (), "sftp": ("key_file", "host_key")}.get(
            scheme, ("endpoint", "access_key", "secret_file")
        )
        for name in needs:
            if getattr(self, name) is None:
                raise ValueError(f"{name} is missing for {scheme}://")
        if scheme and not urlsplit(self.to).hostname:
            raise ValueError(f"to: {self.to!r} names no host or bucket")
        if urlsplit(self.to).password is not None:
            raise ValueError("to: no password belongs there; use a key")
        if self.endpoint is not None and not is_web_address(self.endpoint):
            raise ValueError(f"endpoint: {self.endpoint!r} is no address")

    @property
    def kind(self) -> Literal["folder", "sftp", "s3"]:
        """How it is reached."""
        if self.to.startswith("sftp://"):
            return "sftp"
        return "s3" if self.to.startswith("s3://") else "folder"


class Backup(Settings, frozen=True, kw_only=True):
    """What the ingest does by itself each night; without `keys` and `places` nothing.

    `keys` are public keys (`age1…`) that open what is made. `at` is local time. Kept are the newest
    of each of `daily` days, `weekly` weeks and `monthly` months that have one.
    """

    keys: Annotated[tuple[_Text, ...], Meta(max_length=16)] = ()
    places: Annotated[tuple[BackupPlace, ...], Meta(max_length=8)] = ()
    pictures: Literal["all", "safety", "none"] = "all"
    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:30"
    daily: Annotated[int, Meta(ge=1, le=366)] = 7
    weekly: _Some = 4
    monthly: _Some = 6

    def __post_init__(self) -> None:
        if bool(self.keys) != bool(self.places):
            raise ValueError("keys and places go together; set both")
        if len({one.to for one in self.places}) != len(self.places):
            raise ValueError("places: one is named twice")
