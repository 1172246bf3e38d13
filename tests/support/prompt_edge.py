"""`linli` whose edge asks the ingest each second what it wants, not each minute."""

from __future__ import annotations

import sys

import edge.agent.wanted
from linli.cli.main import main

edge.agent.wanted.EVERY = 1.0
main(sys.argv[1:])
