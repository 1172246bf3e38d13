"""The models of an edge: whether each file is the one that the catalogue knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest.repairs.finding import Finding, well
from linli.errors import InputError


def look(config: Path) -> Iterator[Finding]:
    """Yield what was found for the models that are here. Raises InputError for the settings."""
    from edge.catalog.book import open_book
    from edge.catalog.check import check_file
    from edge.settings import load_settings

    load_settings(config)
    for model in open_book():
        if not model.here:
            continue
        try:
            check_file(model.entry, model.path)
        except InputError as error:
            yield Finding(
                code="model-wrong",
                about=model.entry.name,
                level="bad",
                what=f"the model {model.entry.name} is not what it should be: {error.what}",
                means="The edge may see nothing, or the wrong things.",
                do="Fetch it again with `linli models pull`",
            )
        else:
            yield well("model", f"{model.entry.name} is the file that the catalogue knows")
