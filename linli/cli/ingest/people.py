"""Who and what may come in: edge boxes, people, programs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from ingest.accounts import book
from ingest.accounts.account import RIGHTS, ROLES, Role, Scope, rights_of
from ingest.audit import book as audit
from ingest.registry import add_device, add_node, new_key
from ingest.settings import load_settings
from linli.cli.ingest.folder import actor, state
from linli.cli.ingest.joins import node_join, node_shut_out
from linli.cli.ingest.options import config_option, json_option
from linli.clock import SystemClock
from linli.errors import InputError
from linli.topics import is_id

_SMALLEST: tuple[Role, ...] = ("street", "community", "integrator", "duty", "supervisor", "admin")


@click.group()
def node() -> None:
    """Register edge boxes and the devices behind them."""


@node.command(
    "add",
    epilog="Example: linli ingest node add c001/b03/c001-n01 --device cam-e1:camera:1号电梯",
)
@click.argument("place", metavar="SITE/AREA/NODE")
@click.option("--label", help="What people call the box  [default: its id]")
@click.option("--device", "devices", multiple=True, metavar="ID:KIND:LABEL", help="Repeat for more")
@config_option
@json_option
def node_add(
    place: str, label: str | None, devices: tuple[str, ...], config: Path, *, as_json: bool
) -> None:
    """Register an edge box and print its key, this once.

    The key is what the edge sends pictures with: keep it in the edge's key file.
    """
    site, area, name = _place(place)
    wanted = [_device(text) for text in devices]
    settings = load_settings(config)
    if site != settings.site.id:
        raise InputError(f"this ingest serves {settings.site.id!r}, not {site!r}", where=place)
    with state(settings) as connection:
        key = add_node(connection, site=site, area=area, name=name, label=label or name)
        for device, kind, said in wanted:
            add_device(connection, node_name=name, name=device, kind=kind, label=said)
        audit.note(connection, SystemClock().now(), actor(), "registry-changed", f"edge {name}")
    _print({"node": name, "key": key}, "key", as_json=as_json)


@node.command("key", epilog="Example: linli ingest node key c001-n01")
@click.argument("name", metavar="NODE")
@config_option
@json_option
def node_key(name: str, config: Path, *, as_json: bool) -> None:
    """Give an edge box a new key and print it, this once; the old one ends."""
    with state(load_settings(config)) as connection:
        key = new_key(connection, name)
        audit.note(connection, SystemClock().now(), actor(), "edge-key-made", name)
    _print({"node": name, "key": key}, "key", as_json=as_json)


node.add_command(node_join)
node.add_command(node_shut_out)


@click.group()
def user() -> None:
    """Let people in."""


@user.command("add", epilog="Example: linli ingest user add 王经理 --role duty")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="duty", show_default=True)
@click.option("--area", "areas", multiple=True, metavar="AREA", help="Only these, such as b03")
@config_option
@json_option
def user_add(name: str, role: Role, areas: tuple[str, ...], config: Path, *, as_json: bool) -> None:
    """Make an account and print its password, this once."""
    with state(load_settings(config)) as connection:
        now = SystemClock().now()
        password = book.add_account(connection, name, role, now, areas=areas or None)
        audit.note(connection, now, actor(), "account-made", name, role=role)
    _print({"name": name, "role": role, "password": password}, "password", as_json=as_json)


@user.command("password", epilog="Example: linli ingest user password admin")
@click.argument("name")
@config_option
@json_option
def user_password(name: str, config: Path, *, as_json: bool) -> None:
    """Give an account a new password and print it, this once; ends its sessions."""
    with state(load_settings(config)) as connection:
        password = book.set_password(connection, name)
        audit.note(connection, SystemClock().now(), actor(), "password-reset", name)
    _print({"name": name, "password": password}, "password", as_json=as_json)


@user.command("change", epilog="Example: linli ingest user change 王经理 --role supervisor")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help="Another role  [default: as it is]")
@click.option("--area", "areas", multiple=True, metavar="AREA", help="Only these, such as b03")
@click.option("--everywhere", is_flag=True, help="The whole site instead of areas")
@click.option("--disable/--enable", "disabled", default=None, help="Close it, or open it again")
@click.option("--why", help="Why, for the audit log")
@config_option
def user_change(
    name: str,
    role: Role | None,
    areas: tuple[str, ...],
    config: Path,
    *,
    everywhere: bool,
    disabled: bool | None,
    why: str | None,
) -> None:
    """Change what an account may do; its sessions end, and its tokens when it is closed."""
    with state(load_settings(config)) as connection:
        row = book.find(connection, name)
        if row is None:
            raise InputError(f"no account {name!r}")
        before = book.as_account(row)
        after = book.change_account(
            connection,
            name,
            role=role or before.role,
            areas=None if everywhere else areas or before.areas,
            disabled=before.disabled if disabled is None else disabled,
        )
        reach = [book.as_text(one.areas) or "all" for one in (before, after)]
        said = {
            "role": f"{before.role} > {after.role}",
            "areas": " > ".join(reach),
            "disabled": f"{before.disabled} > {after.disabled}",
            **audit.reason(why),
        }
        audit.note(connection, SystemClock().now(), actor(), "account-changed", name, **said)
    where = " ".join(sorted(after.areas)) if after.areas else "the whole site"
    click.echo(f"{name}: {after.role}, {where}{', disabled' if after.disabled else ''}")


@user.command("list", epilog="Example: linli ingest user list")
@config_option
@json_option
def user_list(config: Path, *, as_json: bool) -> None:
    """List accounts with role and areas."""
    with state(load_settings(config)) as connection:
        found = book.accounts(connection)
    for one in found:
        areas = sorted(one.areas) if one.areas is not None else None
        told = {"name": one.name, "role": one.role, "areas": areas, "disabled": one.disabled}
        where = "the whole site" if areas is None else " ".join(areas)
        line = f"{one.name}: {one.role}, {where}{', disabled' if one.disabled else ''}"
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else line)


@click.group()
def token() -> None:
    """Let programs in."""


@token.command("add", epilog="Example: linli ingest token add grafana --scope see")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(RIGHTS), multiple=True, required=True, help="Repeat"
)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
@config_option
@json_option
def token_add(
    name: str, scopes: tuple[Scope, ...], days: int, config: Path, *, as_json: bool
) -> None:
    """Make an API token for account NAME and print it, this once.

    When there is no such account, one is made with the smallest role that allows the scopes.
    """
    now = SystemClock().now()
    with state(load_settings(config)) as connection:
        if book.find(connection, name) is None:
            role = next(one for one in _SMALLEST if rights_of(one) >= set(scopes))
            book.add_account(connection, name, role, now)
        made = book.add_token(connection, name, name, scopes, now=now, lasts=timedelta(days=days))
        said = {"scopes": " ".join(sorted(scopes)), "days": days}
        audit.note(connection, now, actor(), "token-made", name, **said)
    _print({"name": name, "scopes": sorted(scopes), "token": made}, "token", as_json=as_json)


def _place(text: str) -> tuple[str, str, str]:
    parts = text.split("/")
    if len(parts) != 3:
        raise InputError(f"{text!r} is not SITE/AREA/NODE", hint="Such as c001/b03/c001-n01")
    return parts[0], parts[1], parts[2]


def _device(text: str) -> tuple[str, str, str]:
    name, _, rest = text.partition(":")
    kind, _, label = rest.partition(":")
    if not is_id(name) or not is_id(kind) or not label:
        raise InputError(f"{text!r} is not ID:KIND:LABEL", hint="Such as cam-e1:camera:1号电梯")
    return name, kind, label


def _print(values: dict[str, Any], told: str, *, as_json: bool) -> None:
    click.echo(json.dumps(values, ensure_ascii=False) if as_json else values[told])
