"""`linli grafana`: boards and their provisioning as files, or pushed to a running Grafana."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from dashboards.grafana import shipped
from dashboards.grafana.names import Names
from dashboards.grafana.push import Pushed, open_client
from dashboards.grafana.push import push as push_boards
from dashboards.grafana.query import Source
from dashboards.grafana.text import LANGS, Lang
from ingest.registry import book
from ingest.registry.records import Device, Edge, Place, Record
from ingest.settings import load_settings
from linli.cli.ingest.folder import state
from linli.cli.ingest.options import json_option
from linli.errors import InputError
from linli.settings import as_token, is_web_address, read_secret

TOKEN = "GRAFANA_TOKEN"  # noqa: S105 - the name of a variable
_FOLDER = {"zh": "邻里", "en": "Linli"}
_VARIABLES = {
    "influx": ("INFLUX_URL", "INFLUX_DATABASE", "INFLUX_TOKEN", "LINLI_URL", "LINLI_TOKEN"),
    "rest": ("LINLI_URL", "LINLI_TOKEN"),
}

lang_option = click.option(
    "--lang", type=click.Choice(LANGS), default="zh", show_default=True, help="Language of boards"
)
source_option = click.option(
    "--source",
    type=click.Choice(["influx", "rest"]),
    default="influx",
    show_default=True,
    help="InfluxDB, or Linli's own API through the Infinity plug-in",
)
linli_url_option = click.option(
    "--linli-url", metavar="URL", help="Where people open Linli's pages, for links in boards"
)


@click.group(short_help="Boards for Grafana, as files or pushed.")
def command() -> None:
    """Boards for Grafana: as provisioning files, or pushed to one that runs."""


@command.command(epilog="Example: linli grafana render --out /etc/grafana/provisioning")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder"
)
@lang_option
@source_option
@linli_url_option
@click.option(
    "--path-prefix", metavar="PATH", help="Path of --out where Grafana runs  [default: as here]"
)
@click.option(
    "--names-from",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CONFIG",
    help="An ingest.toml: charts then show the registry's names instead of ids",
)
@json_option
def render(
    out: Path,
    lang: Lang,
    source: Source,
    linli_url: str | None,
    path_prefix: str | None,
    names_from: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write data source, boards and health rules for Grafana's provisioning folder.

    No address and no secret is written: Grafana takes them from its own environment.
    """
    address = _address(linli_url)
    names = _names(names_from, lang) if names_from else None
    written = shipped.render(out, lang, source, linli_url=address, seen_as=path_prefix, names=names)
    if as_json:
        files = [str(path) for path in written]
        click.echo(json.dumps({"files": files, "variables": _VARIABLES[source]}))
        return
    for path in written:
        click.echo(path)
    variables = ", ".join(_VARIABLES[source])
    click.echo(f"Grafana needs in its environment: {variables}", err=True)


def _names(config: Path, lang: Lang) -> Names:
    """Read what people call things from the registry of an ingest."""
    with state(load_settings(config)) as connection:
        found = list(book.records(connection).values())
    edges = {one.id: one for one in found if isinstance(one, Edge)}
    return Names(
        areas={
            one.id.partition("/")[2]: _said(one, lang)
            for one in found
            if isinstance(one, Place) and one.id.count("/") == 1
        },
        nodes={one.id: _said(one, lang) for one in edges.values()},
        devices={
            (_area(edges[one.edge]), one.edge, one.id.partition("/")[2]): _said(one, lang)
            for one in found
            if isinstance(one, Device) and one.edge in edges
        },
    )


def _area(edge: Edge) -> str:
    """Return the area in the topics of an edge: the second level of its place."""
    return edge.place.partition("/")[2].partition("/")[0]


def _said(record: Record, lang: Lang) -> str:
    return record.label_en or record.label if lang == "en" else record.label


@command.command(epilog="Example: linli grafana push http://127.0.0.1:3000 --token-file token.txt")
@click.argument("url")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help=f"A service account's token  [default: the variable {TOKEN}]",
)
@lang_option
@source_option
@linli_url_option
@click.option("--overwrite", is_flag=True, help="Replace boards that are there already")
@json_option
def push(
    url: str,
    token_file: Path | None,
    lang: Lang,
    source: Source,
    linli_url: str | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Put the boards into the Grafana at URL, into a folder of their own.

    Data source and health rules are not pushed: `linli grafana render` writes them.
    """
    boards = list(shipped.boards(lang, source, _address(linli_url)))
    done: list[Pushed] = []
    with open_client(url, _token(token_file)) as client:
        for one in push_boards(client, boards, folder=_FOLDER[lang], overwrite=overwrite):
            done.append(one)
            if not as_json:
                click.echo(f"{one.uid}: {one.title}, version {one.version}")
    if as_json:
        click.echo(json.dumps({"boards": [one._asdict() for one in done]}, ensure_ascii=False))


def _token(file: Path | None) -> str:
    if file is not None:
        return as_token(read_secret(file), str(file))
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise InputError("no token for Grafana", hint=f"Give --token-file, or set {TOKEN}")
    return as_token(token, TOKEN)


def _address(url: str | None) -> str | None:
    if url is not None and not is_web_address(url):
        raise InputError(
            f"{url!r} is no address", where="--linli-url", hint="Such as https://linli.example"
        )
    return url
