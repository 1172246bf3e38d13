"""Shows at the end of a run what each fault did: lost, doubled, seconds until all worked again.

`--write-reliability PAGE` also writes that into a document, and beside it as JSON for machines.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from table import lines, machine, page


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", type=Path, metavar="PAGE", help="write the rows there")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the rows that tests recorded as `fault`, from whichever worker."""
    rows = recorded(terminalreporter)
    if not rows:
        return
    terminalreporter.section("faults")
    for line in lines(rows):
        terminalreporter.write_line(line)
    target: Path | None = config.getoption("--write-reliability")
    if target is not None:
        target.write_text(page(target.read_text(encoding="utf-8"), rows), encoding="utf-8")
        said = {"machine": machine(), "rows": rows}
        target.with_suffix(".json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def recorded(terminalreporter: pytest.TerminalReporter) -> list[dict[str, Any]]:
    reports = [one for found in terminalreporter.stats.values() for one in found]
    return [
        row
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, row in report.user_properties
        if name == "fault"
    ]
