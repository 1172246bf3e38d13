"""Changing a catalogue file: comments and order of what is not changed stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item

from edge.catalog.entry import Catalog, Entry
from linli.errors import InputError, StoreError
from linli.settings import convert


def put_entry(path: Path, entry: Entry) -> None:
    """Enter a model, or change the entry of its name. Raises InputError, StoreError."""
    document = _read(path)
    models = _models(document)
    plain = msgspec.json.decode(msgspec.json.encode(entry))
    table = next((table for table in models if table.get("name") == entry.name), None)
    if table is None:
        table = tomlkit.table()
        models.append(table)
    before = table.unwrap()
    for field in msgspec.structs.fields(Entry):
        key, value = field.name, plain[field.name]
        if value in (None, {}, []):
            table.pop(key, None)
        elif key in before and value != before[key]:
            table[key] = _item(value)
        elif key not in before and value != field.default:
            table.append(key, _item(value))
    _write(path, document)


def remove_entry(path: Path, name: str) -> None:
    """Remove a model from the catalogue. Raises InputError, StoreError."""
    document = _read(path)
    models = _models(document)
    for index in reversed(range(len(models))):
        if models[index].get("name") == name:
            del models[index]
    if not models:
        document.remove("model")
    _write(path, document)


def _item(value: Any) -> Item:
    if isinstance(value, dict):  # in one line, so that it can stand anywhere in its table
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    if isinstance(value, list) and isinstance(value[0], dict):
        tables = tomlkit.aot()
        for each in value:
            table = tomlkit.table()
            for key, inner in each.items():
                table.append(key, _item(inner))
            tables.append(table)
        return tables
    item: Item = tomlkit.item(value)
    return item


def _read(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else _new()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None


def _new() -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    document.add(tomlkit.comment("Models of your own; docs/models.md explains the fields."))
    return document


def _models(document: tomlkit.TOMLDocument) -> AoT:
    models = document.setdefault("model", tomlkit.aot())
    if not isinstance(models, AoT):
        raise InputError("model must be tables, each under [[model]]", where="catalog.toml")
    return models


def _write(path: Path, document: tomlkit.TOMLDocument) -> None:
    """Write the file whole or not at all, and never one that could not be read again."""
    text = tomlkit.dumps(document)
    convert(tomlkit.parse(text).unwrap(), Catalog, where=str(path))
    half = path.with_suffix(".half")
    try:
        with half.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise StoreError(f"cannot be written ({error.strerror})", where=str(path)) from None
