"""Backups of `[backup]` by the commands, and a picture that is worth one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from click.testing import CliRunner, Result
from handed_in import arrival
from house import SITE, Folder, jpeg

from ingest.archive.age import Key
from ingest.backup_settings import BackupPlace
from ingest.evidence import book
from ingest.evidence.shelf import FolderStore
from ingest.store.engine import writing
from linli.cli.main import command
from linli.ids import uuid7

KEY = Key.new()


class Shell:
    """The commands, with settings of a folder and one place."""

    def __init__(self, path: Path, place: Path | BackupPlace, data: str = "data") -> None:
        if isinstance(place, Path):
            place = BackupPlace(to=str(place))
        said = msgspec.structs.asdict(place).items()
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in said if value is not None]
        self.config = path / f"{data}.toml"
        self.config.write_text(
            f'data = "{data}"\n[site]\nid = "{SITE}"\nlabel = "x"\n[backup]\n'
            f'keys = ["{KEY.public}"]\n[[backup.places]]\n{"".join(lines)}'
        )
        self.key = path / "backup.key"
        self.key.write_text(KEY.private)

    def __call__(self, *words: str) -> Result:
        result = CliRunner().invoke(command, [*words, "--config", str(self.config)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def addresses(self) -> list[str]:
        found = json.loads(self("backup", "list", "--json").stdout)
        return sorted(one["address"] for one in found)


def keep_picture(folder: Folder) -> str:
    data, name = jpeg(), uuid7(datetime.now(UTC))
    FolderStore(folder.path / "evidence").put(name, data)
    row = arrival(data, name)
    row = msgspec.structs.replace(row, expires=datetime.now(UTC) + timedelta(days=20))
    kept = {"received": datetime.now(UTC), "sha256": "0", "bytes": len(data)}
    with writing(folder.state) as connection:
        book.add(connection, row, kept | {"width": 64, "height": 48})
    return name
