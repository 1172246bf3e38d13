"""A channel as people write it down: its secrets apart from it, and whether it can be used so."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty.checks import Fault
from ingest.notify.channels import callback_of, channel_of
from ingest.notify.contact import Contacts
from ingest.notify.known import MOST, papers
from ingest.notify.posting import open_client
from ingest.notify.reach import Lookup, fit, looked_up, reach
from ingest.notify.vault import Vault, forget
from ingest.notify_settings import SECRET_FILES, AnyChannel, Notify, WebPushSettings, half_called
from ingest.refusal import RulesBroken
from linli.errors import InputError

SECRETS = {one.removesuffix("_file"): one for one in SECRET_FILES}
"""What a secret is called when it is given, and the setting that then names it."""
MOST_SECRET = 4096
_ANY_PORT = 25  # which one does not matter to where a name leads
_PLACE = ("url", "host", "port", "security")


class Parted(NamedTuple):
    """A document as it is kept, its new secrets by name, and names that nothing needs any more."""

    document: dict[str, Any]
    fresh: dict[str, str]
    gone: tuple[str, ...]


def part(
    connection: sa.Connection, vault: Vault, given: Mapping[str, Any], before: Mapping[str, Any]
) -> Parted:
    """Seal the secrets of a document; a name of one must be the one it has.

    In the transaction of a writer. Raises RulesBroken, InputError.
    """
    document = dict(given)
    broken: list[Fault] = []
    fresh: dict[str, str] = {}
    for name, setting in SECRETS.items():
        named = document.get(setting)
        if named is not None and named != before.get(setting):
            broken.append((setting, f"is written down as {name}"))
        if name not in document:
            continue
        text = document.pop(name)
        if text is None:
            document.pop(setting, None)
        elif not isinstance(text, str) or not 0 < len(text.strip()) <= MOST_SECRET:
            broken.append((name, f"must be text of 1 to {MOST_SECRET} characters"))
        else:
            document[setting] = vault.keep(connection, text.strip())
            fresh[document[setting]] = text.strip()
    if broken:
        raise RulesBroken("nothing was changed", tuple(broken))
    kept = {document.get(setting) for setting in SECRET_FILES}
    had = (str(before[setting]) for setting in SECRET_FILES if before.get(setting))
    return Parted(document, fresh, tuple(one for one in had if one not in kept))


def with_secrets(old: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return an old document with the secrets of now: those of then are gone."""
    made = {key: value for key, value in old.items() if key not in SECRET_FILES}
    same = old.get("type") == now.get("type")
    return made | {one: now[one] for one in SECRET_FILES if same and now.get(one)}


def wrong_places(
    given: Mapping[str, Any], notify: Notify, lookup: Lookup = looked_up
) -> list[Fault]:
    """Judge where a channel would go, as given. Takes no transaction: names are looked up.

    One that is not known now is no fault: it is judged again at each sending.
    """
    networks = [ip_network(one) for one in notify.allow_networks]
    for name in ("url", "host"):
        place = given.get(name)
        if not isinstance(place, str):
            continue
        try:
            if name == "url":
                reach(place, networks, lookup)
            else:
                fit(place, _ANY_PORT, networks, lookup)
        except InputError as error:
            return [(name, error.what)]
        except OSError:
            continue
    return []


def carried_off(value: msgspec.Struct, before: Mapping[str, Any]) -> list[Fault]:
    """Return which kept secrets would go elsewhere: a stored one is for the place it was given for.

    Whoever may change a channel could else have its secret sent to a server of their own.
    """
    kept = [
        name
        for name, setting in SECRETS.items()
        if before.get(setting) and getattr(value, setting, None) == before[setting]
    ]
    try:
        same = not kept or _place(msgspec.convert(before, AnyChannel)) == _place(value)
    except msgspec.ValidationError:  # of another version of Linli: nobody can tell
        same = False
    return [] if same else [(name, "goes elsewhere: write it down again") for name in kept]


def _place(one: msgspec.Struct) -> tuple[object, ...]:
    """Return what says where a channel goes, defaults as they hold."""
    return (type(one), *(getattr(one, name, None) for name in _PLACE))


def judge(
    connection: sa.Connection, name: str, value: msgspec.Struct, notify: Notify
) -> list[Fault]:
    """Return which rules a channel breaks beside what there is."""
    if name in {one.name for one in notify.channels}:
        return [("name", "is that of a channel in the settings file")]
    others = [one for one in papers(connection, notify) if one.name != name]
    if len(notify.channels) + len(others) >= MOST:
        return [("name", f"there are {MOST} channels already")]
    return [("callback_key", "needs both, token and key")] if half_called(_channel(value)) else []


def try_out(
    value: msgspec.Struct, notify: Notify, vault: Vault, fresh: Mapping[str, str]
) -> list[Fault]:
    """Return why a channel cannot be begun; `fresh` are secrets that are not written down yet."""
    one = _channel(value)

    def secret(name: str) -> str:
        return fresh[name] if name in fresh else vault(name)

    try:
        callback_of(one, secret)
        if not isinstance(one, WebPushSettings):
            with open_client() as client:
                channel_of(one, client, notify.allow_networks, secrets=secret)
    except InputError as error:
        where = error.where.removesuffix("_file")
        return [(where if where in SECRETS else "secret", error.what)]
    return []


def used_by(connection: sa.Connection, name: str) -> list[Fault]:
    """Return what stands against taking a channel away: contacts that name it."""
    found: list[Fault] = []
    for paper in book.some(connection, "contacts"):
        contacts = msgspec.json.decode(paper.body or "", type=Contacts)
        if any(way.channel == name for way in contacts.ways):
            found.append(("name", f"{paper.name} is reached by it"))
    return found


def let_go(connection: sa.Connection, document: Mapping[str, Any]) -> None:
    """Forget the secrets of a channel that is taken away."""
    forget(connection, [str(document[one]) for one in SECRET_FILES if document.get(one)])


def _channel(value: msgspec.Struct) -> AnyChannel:
    assert isinstance(value, AnyChannel)
    return value
