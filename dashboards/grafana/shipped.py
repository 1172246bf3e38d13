"""The files that Linli brings for Grafana, and laying them out for a Grafana to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dashboards.grafana.names import Names, put
from dashboards.grafana.panel import LINLI
from dashboards.grafana.provision import BOARDS_FOLDER, HOME
from dashboards.grafana.query import Source
from dashboards.grafana.text import Lang
from linli.errors import InputError

FILES = Path(__file__).resolve().parent / "files"


def boards(lang: Lang, source: Source, linli_url: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the dashboards, their links leading to `linli_url` when it is given.

    Raises InputError when the installation lacks them.
    """
    found = sorted((FILES / "boards" / lang / source).glob("*.json"))
    if not found:
        raise InputError("the boards are missing", where=str(FILES), hint="Install Linli again")
    for path in found:
        board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if linli_url is not None:
            _lead_to(board, linli_url.rstrip("/"))
        yield board


def render(
    out: Path,
    lang: Lang,
    source: Source,
    *,
    linli_url: str | None = None,
    seen_as: str | None = None,
    names: Names | None = None,
) -> list[Path]:
    """Write everything for Grafana's provisioning folder; return the files.

    `seen_as` is the path of `out` on the machine, or in the container, where Grafana runs. What
    stands there under other names stays. `names` stand for ids in charts. Raises InputError when it
    cannot be written.
    """
    home = (seen_as or str(out.resolve())).rstrip("/")
    wanted = dict(_wanted(lang, source, home, linli_url, names))
    try:
        for name, text in wanted.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for path in (out / BOARDS_FOLDER).glob("linli-*.json"):
            if f"{BOARDS_FOLDER}/{path.name}" not in wanted:
                path.unlink()  # a board of an earlier version
    except OSError as error:
        raise InputError(
            f"cannot write here ({error.strerror})",
            where=str(out),
            hint="Choose another --out, or run it as a user who may write there",
        ) from None
    return [out / name for name in wanted]


def _wanted(
    lang: Lang, source: Source, home: str, linli_url: str | None, names: Names | None
) -> Iterator[tuple[str, str]]:
    yield "datasources/linli.yaml", _text(f"datasources/{source}.yaml")
    yield "dashboards/linli.yaml", _text(f"dashboards/{lang}.yaml").replace(HOME, home)
    if source == "influx":
        yield "alerting/linli.yaml", _text(f"alerting/{lang}.yaml")
    for board in boards(lang, source, linli_url):
        if names is not None:
            put(board, names)
        text = json.dumps(board, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        yield f"{BOARDS_FOLDER}/{board['uid']}.json", text


def _text(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def _lead_to(board: dict[str, Any], address: str) -> None:
    for variable in board["templating"]["list"]:
        if variable["name"] == LINLI:
            variable["query"] = address
