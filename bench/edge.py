"""The edge beside its limits; see `python bench/edge.py --help`, and `edge_rows.py`."""

from __future__ import annotations

import importlib
import sys

# This folder behind everything else: `edge` is the package, not this file.
sys.path.append(sys.path.pop(0))
if __name__ == "__main__":
    importlib.import_module("edge_rows").main()
else:  # a neighbour meant the package
    del sys.modules[__name__]
    importlib.import_module(__name__)
