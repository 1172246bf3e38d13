"""`linli` whose edge asks five times a second what is wanted and sends its pictures at once."""

from __future__ import annotations

import sys

import edge.agent.wanted
import edge.upload
from linli.cli.main import main

edge.agent.wanted.EVERY = 0.2
edge.upload.IDLE = 0.2
main(sys.argv[1:])
