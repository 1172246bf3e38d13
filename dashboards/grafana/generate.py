"""Writes what is shipped below `files/`: `python -m dashboards.grafana.generate [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dashboards.grafana.alerts import rules_of
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.build import text_of
from dashboards.grafana.provision import boards, datasource
from dashboards.grafana.query import DATASOURCES
from dashboards.grafana.shipped import FILES
from dashboards.grafana.text import LANGS

_HEAD = "# Made by `python -m dashboards.grafana.generate`; a test compares it with the code.\n"


def wanted() -> Iterator[tuple[str, str]]:
    """Yield every file's path below `files/` and its text."""
    for source in DATASOURCES:
        yield f"datasources/{source}.yaml", _yaml(datasource(source))
    for lang in LANGS:
        yield f"dashboards/{lang}.yaml", _yaml(boards(lang))
        yield f"alerting/{lang}.yaml", _yaml(rules_of(lang))
        for source in DATASOURCES:
            for board in BOARDS:
                text = text_of(board, lang, source)
                yield f"boards/{lang}/{source}/{board.uid}.json", text


def stale(folder: Path) -> list[str]:
    """Return the files below a folder that are not as they should be, or should not be."""
    made = dict(wanted())
    there = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.*")
        if path.is_file()
    }
    return sorted(name for name in {*made, *there} if made.get(name) != there.get(name))


def write(folder: Path) -> list[str]:
    """Make a folder as it should be; return the files that changed."""
    changed, made = stale(folder), dict(wanted())
    for name in changed:
        path = folder / name
        if name in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def _yaml(data: dict[str, Any]) -> str:
    plain = json.loads(json.dumps(data))  # nothing in it twice, so that no anchors are made
    return _HEAD + yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100)


def main(arguments: list[str]) -> int:
    """Write, or with --check only tell; 1 when something was not as it should be."""
    check = arguments == ["--check"]
    changed = stale(FILES) if check else write(FILES)
    for name in changed:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {name}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
