"""Bytes to messages and back: a strict decode first, a slow explaining walk only for what fails."""

from __future__ import annotations

import contextlib
import hashlib
import re
import types
import typing
from dataclasses import dataclass
from functools import cache, lru_cache

import msgspec

from linli.errors import PayloadError
from linli.events import (
    FORBIDDEN_FIELDS,
    MAX_PAYLOAD,
    SCHEMA_VERSION,
    Envelope,
    Message,
    Status,
    message_type,
)
from linli.topics import Topic

MAX_DEPTH = 6
_MODEL_NAME = ("$.data.model", "name")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{1024,}", re.ASCII)
_LINES = re.compile(r"[\r\n\t]+")
_VECTOR = 64
"""So many numbers in a row may be what a model makes of a face; none of ours has as many."""
_AT = re.compile(r" - at `([^`]+)`$")
T = typing.TypeVar("T", bound=msgspec.Struct)
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[type, msgspec.json.Decoder[Message]] = {}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A good message, and how many fields of a newer minor version were dropped from it."""

    message: Message
    unknown_fields: int = 0


@cache
def prepare_types() -> None:
    """Let msgspec look at every Struct that is imported; call it before there are threads.

    It does so at a type's first use, and falls with the whole process (0.22) when two threads use
    one for the first time at once.
    """
    known: list[type[msgspec.Struct]] = [msgspec.Struct]
    while known:
        for one in known.pop().__subclasses__():
            known.append(one)
            with contextlib.suppress(TypeError, NameError):
                msgspec.json.Decoder(one)


def encode(part: msgspec.Struct) -> bytes:
    """Return the JSON bytes of a message; they are made once and never change on a resend."""
    return _ENCODER.encode(part)


def decode_part(payload: bytes, kind: type[T]) -> T:
    """Read a receipt, reject or status; what a newer minor version says besides is dropped.

    Raises PayloadError.
    """
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    try:
        return msgspec.convert(_strip(msgspec.json.decode(payload), kind)[0], kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise PayloadError("schema", str(error)) from None


def sha256(payload: bytes) -> str:
    """Return the hash that names a payload in a reject."""
    return hashlib.sha256(payload).hexdigest()


def decode(topic: Topic, payload: bytes) -> Decoded:
    """Read a device's message and hold it against its topic.

    Raises PayloadError with the contract's reject code and the path of the first broken rule.
    """
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError("size", f"{len(payload)} bytes, at most {MAX_PAYLOAD} allowed")
    expected = message_type(topic.kind, topic.name)
    if expected is None:
        raise PayloadError("topic-mismatch", f"v1 has no message {topic.kind}/{topic.name}")
    decoder = _DECODERS.get(expected)
    if decoder is None:
        decoder = _DECODERS[expected] = msgspec.json.Decoder(expected)
    try:
        decoded = Decoded(decoder.decode(payload))
    except (msgspec.DecodeError, ValueError, RecursionError):
        decoded = _explain(expected, payload)
    _check_address(topic, decoded.message)
    return decoded


def _check_address(topic: Topic, message: Message) -> None:
    if isinstance(message, Status):
        return
    if message.source != topic.source:
        raise PayloadError(
            "topic-mismatch", f"must be {topic.source}, the topic's", path="$.source"
        )
    if message.type != topic.type:
        raise PayloadError("topic-mismatch", f"must be {topic.type}, the topic's", path="$.type")
    _check_version(message.dataschema)


@lru_cache(maxsize=256)
def _major(version: str) -> str:
    return version.rpartition("/")[2].partition(".")[0]


def _check_version(dataschema: str) -> None:
    if _major(dataschema) != _major(SCHEMA_VERSION):
        raise PayloadError(
            "version", f"major version of this ingest is {SCHEMA_VERSION}", path="$.dataschema"
        )


def _explain(expected: type[Message], payload: bytes) -> Decoded:
    """Drop and count fields of a newer minor version, or say exactly what is wrong."""
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise PayloadError("json", "not valid JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise PayloadError("schema", "the message must be a JSON object")
    if issubclass(expected, Envelope) and isinstance(document.get("dataschema"), str):
        _check_version(document["dataschema"])
    _check_privacy(document, "$", 1)
    cleaned, dropped = _strip(document, expected)
    try:
        message = msgspec.convert(cleaned, expected)
    except (msgspec.ValidationError, ValueError) as error:
        text = str(error)
        at = _AT.search(text)
        raise PayloadError("schema", _AT.sub("", text), path=at.group(1) if at else "$") from None
    return Decoded(message, dropped)


def _check_privacy(value: object, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise PayloadError("schema", f"nested deeper than {MAX_DEPTH}", path="$")
    if isinstance(value, dict):
        for key, child in value.items():
            if key.lower() in FORBIDDEN_FIELDS and (path, key) != _MODEL_NAME:
                raise PayloadError(
                    "privacy", "a field that may identify a person", path=f"{path}.{key[:64]}"
                )
            _check_privacy(child, f"{path}.{key[:64]}", depth + 1)
    elif isinstance(value, list):
        if len(value) >= _VECTOR and all(isinstance(one, (int, float)) for one in value):
            raise PayloadError("privacy", "numbers that look like an embedding", path=path)
        for index, child in enumerate(value):
            _check_privacy(child, f"{path}[{index}]", depth + 1)
    elif isinstance(value, str) and _BASE64.search(_LINES.sub("", value)):
        raise PayloadError("privacy", "a text that looks like a picture", path=path)


def _strip(value: object, expected: object) -> tuple[object, int]:
    """Return `value` without the fields that `expected` does not know, and their number."""
    expected = _struct_in(expected)
    if isinstance(value, dict) and isinstance(expected, type):
        known = {field.encode_name: field.type for field in msgspec.structs.fields(expected)}
        kept: dict[str, object] = {}
        dropped = 0
        for key, child in value.items():
            if key not in known:
                dropped += 1
                continue
            kept[key], below = _strip(child, known[key])
            dropped += below
        return kept, dropped
    if isinstance(value, list) and expected is not None:
        pairs = [_strip(child, expected) for child in value]
        return [child for child, _ in pairs], sum(below for _, below in pairs)
    return value, 0


def _struct_in(annotation: object) -> object | None:
    """Return the Struct inside Optional, Annotated or tuple[Struct, ...], if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    origin = typing.get_origin(annotation)
    if origin in (typing.Annotated, typing.Union, types.UnionType, tuple):
        for argument in typing.get_args(annotation):
            found = _struct_in(argument)
            if found is not None:
                return found
    return None
