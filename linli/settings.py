"""Strict settings: one frozen type per file, TOML in, and errors that name file, rule and value."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from linli.durable import keep_names, write_whole
from linli.errors import InputError
from linli.log import redact
from linli.toml_lines import line_of

T = TypeVar("T", bound=msgspec.Struct)
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_PART = re.compile(r"\[\d+\]|[^.\[\]]+")
_SECRET = ("password", "secret", "key", "token")
_LONGEST_VALUE = 60
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


class Settings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False
):
    """Base of every settings type: defaults stand in the type, unknown keys are errors."""


def load(path: Path, kind: type[T]) -> T:
    """Read a TOML file. Raises InputError that says where, which rule, which value."""
    return convert(read(path), kind, where=str(path), file=path)


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file as plain data. Raises InputError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), hint="Check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path)) from None


def convert(document: object, kind: type[T], *, where: str, file: Path | None = None) -> T:
    """Turn plain data into settings. Raises InputError; never repeats a secret's value.

    `file` is the TOML that it was read from, or most of it: an error then names the line.
    """
    try:
        return msgspec.convert(document, kind)
    except (msgspec.ValidationError, ValueError) as error:
        text = str(error)
        at = _AT.search(text)
        inside = at.group(1) if at else ""
        place = f"{where}: {inside}" if inside else where
        unknown = _UNKNOWN.search(text)
        if unknown:
            name = unknown.group(1)
            line = _line(file, f"{inside}.{name}" if inside else name)
            raise InputError(
                f"unknown setting {name!r}{line}", where=place, hint=_suggest(name, kind)
            ) from None
        said = _AT.sub("", text)
        shown = _value(document, inside)
        it_is = f", not {shown}" if shown and shown not in said else ""
        raise InputError(said + it_is + _line(file, inside), where=place) from None


def read_secret(path: Path) -> str:
    """Return the text of a secret file without its line end. Raises InputError."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"secret cannot be read ({error})", where=str(path)) from None
    if not secret:
        raise InputError("secret file is empty", where=str(path))
    return secret


def as_token(secret: str, where: str) -> str:
    """Return a secret that goes into a header. Raises InputError for one that cannot."""
    if not (secret.isascii() and secret.isprintable()):
        raise InputError(
            "this is no token: it holds line breaks or letters beyond ASCII",
            where=where,
            hint="Copy it again",
        )
    return secret


def is_web_address(text: str) -> bool:
    """Tell whether a browser could open it: http or https, a host, a port that can be."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        reachable = bool(host) and parts.port != 0
    except ValueError:  # UnicodeError is one
        return False
    spaced = any(one.isspace() for one in text)
    return reachable and not spaced and parts.scheme in {"http", "https"}


def write_secret(path: Path, secret: str) -> None:
    """Write a secret file that only its owner may read. Raises OSError.

    It is whole on disk before this returns: what is sealed with it next must not outlive it.
    """
    write_whole(path, f"{secret}\n".encode())
    keep_names(path.parent)


def make_folder(path: Path, *, mode: int = 0o700) -> Path:
    """Return `path` as a folder we can write into, made when missing. Raises InputError."""
    probe = path / ".linli-writable"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write into this folder ({error.strerror})",
            where=str(path),
            hint="Choose another folder or give this user the right to write there",
        ) from None
    return path


def _line(file: Path | None, place: str) -> str:
    """Return on which line a place stands, as the end of a sentence."""
    if file is None:
        return ""
    try:
        line = line_of(file.read_text(encoding="utf-8"), place)
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (line {line})" if line else ""


def _value(document: object, place: str) -> str:
    """Return what stands at a place, as text; nothing of a table, a long text or a secret."""
    found, parts = document, _PART.findall(place)
    try:
        for part in parts:
            found = found[int(part[1:-1]) if part[0] == "[" else part]  # type: ignore[index]
    except (LookupError, TypeError):
        return ""
    secret = any(word in place.lower() for word in _SECRET)
    if not parts or secret or not isinstance(found, str | int | float):
        return ""
    shown = redact(repr(found))
    return shown if len(shown) <= _LONGEST_VALUE else ""


def _suggest(name: str, kind: type[msgspec.Struct]) -> str:
    known = sorted(_names(kind, set()))
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return "Known settings: " + ", ".join(known)


def _names(kind: type[msgspec.Struct], seen: set[type]) -> set[str]:
    names: set[str] = set()
    pending: list[object] = [kind]
    while pending:
        current = pending.pop()
        if isinstance(current, type) and issubclass(current, msgspec.Struct):
            if current in seen:
                continue
            seen.add(current)
            for field in msgspec.structs.fields(current):
                names.add(field.encode_name)
                pending.append(field.type)
        else:
            pending.extend(getattr(current, "__args__", ()))
    return names
