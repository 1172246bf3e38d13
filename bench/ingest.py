"""The ingest beside its peers; see `python bench/ingest.py --help`, and `ingest_rows.py`."""

from __future__ import annotations

import importlib
import sys

# This folder behind everything else: `ingest` is the package, not this file.
sys.path.append(sys.path.pop(0))
if __name__ == "__main__":
    importlib.import_module("ingest_rows").main()
else:  # a neighbour meant the package
    del sys.modules[__name__]
    importlib.import_module(__name__)
