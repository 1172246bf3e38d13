"""Enter a model that Linli brings, or its new file, in models/catalog.toml.

python models/ship.py models/builtin/detector.onnx --name linli-detector --alias builtin \\
    --summary "…" --card cards/detector.md --threshold ebike=0.45 --threshold person=0.4
python models/ship.py models/builtin/detector.onnx --name linli-detector

Classes, input, family, size and hash come from the file. What is not passed stays as it was, but
figures of another file go: measure again. Runs with Linli's own packages.
"""

import argparse
from pathlib import Path

import msgspec

from edge.catalog.check import check_file
from edge.catalog.describe import look_into
from edge.catalog.edit import put_entry
from edge.catalog.entry import Catalog, Entry
from linli.settings import convert, load

MODELS = Path(__file__).parent
OURS = {"licence": "Apache-2.0", "source": "this repository"}


def ship(file: Path, name: str, said: dict[str, object], models: Path = MODELS) -> Entry:
    """Write the entry of `file`, which is below `models`; `said` are fields that replace others."""
    catalog = models / "catalog.toml"
    entries = load(catalog, Catalog).model if catalog.exists() else ()
    before: dict[str, object] = next(
        (msgspec.to_builtins(entry) for entry in entries if entry.name == name), {}
    )
    facts = look_into(file, None)
    if before.get("sha256") != facts.model.sha256:
        before |= {"quality": (), "speed": ()}
    found = {
        "name": name,
        "version": facts.model.version,
        "task": facts.task,
        "classes": facts.classes,
        "input": (facts.wants.width, facts.wants.height),
        "decoder": facts.decoder,
        "sha256": facts.model.sha256,
        "size": facts.size,
        "file": file.resolve().relative_to(models.resolve()).as_posix(),
    }
    entry = convert({**OURS, **before, **said, **found}, Entry, where=str(catalog))
    check_file(entry, file)
    put_entry(catalog, entry)
    return entry


def scores(texts: list[str]) -> dict[str, float]:
    """Read CLASS=SCORE."""
    return {label: float(score) for label, _, score in (text.partition("=") for text in texts)}


def main() -> None:
    """Read the command line and ship."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--alias", dest="aliases", action="append", default=[])
    parser.add_argument("--threshold", action="append", default=[], metavar="CLASS=SCORE")
    parser.add_argument("--overlap", type=float)
    parser.add_argument("--rivals", type=lambda text: text.split(","), metavar="A,B,…")
    for text in ("summary", "card", "licence", "source"):
        parser.add_argument(f"--{text}")
    args = vars(parser.parse_args())
    file, name = args.pop("file"), args.pop("name")
    thresholds = scores(args.pop("threshold"))
    said = {key: value for key, value in args.items() if value}
    entry = ship(file, name, said | ({"thresholds": thresholds} if thresholds else {}))
    print(f"{entry.name} {entry.version}: {entry.size:,} bytes, sha256 {entry.sha256}")


if __name__ == "__main__":
    main()
