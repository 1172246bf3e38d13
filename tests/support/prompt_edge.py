"""`linli` whose edge asks each second what is wanted and sends its pictures, not each minute."""

from __future__ import annotations

import sys

import edge.agent.wanted
import edge.upload
from linli.cli.main import main

edge.agent.wanted.EVERY = 1.0
edge.upload.IDLE = 1.0
main(sys.argv[1:])
