"""Every code that the doctor says, read from its source."""

from __future__ import annotations

import re
from pathlib import Path

import ingest.doctor
import linli.cli.doctor
from ingest.services.chain import WORDS


def every_code() -> set[str]:
    """Return the codes of what is wrong."""
    folders = [Path(one.__file__ or "").parent for one in (ingest.doctor, linli.cli.doctor)]
    source = "".join(one.read_text("utf-8") for each in folders for one in each.glob("*.py"))
    codes = set(re.findall(r'code="([a-z-]+)"', source)) | {f"chain-{why}" for why in WORDS}
    codes |= {f"{name}-unusable" for name in re.findall(r'unusable\("([a-z-]+)"', source)}
    return codes - {"chain-works"}
