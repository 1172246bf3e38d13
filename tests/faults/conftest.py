"""Shows at the end of a run what each fault did: lost, doubled, seconds until all worked again.

`--write-reliability PAGE` also writes that into a document, and beside it as JSON for machines;
after each test, so that a run that is broken off leaves what it measured. Rows of older runs stay
until the same fault is measured again with the same seed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest
from table import Run, lines, machine, page, with_new


class Rows:
    """Gathers what tests recorded as `fault`, from whichever worker."""

    def __init__(self, target: Path | None) -> None:
        self._target = target
        self._rows: list[dict[str, Any]] = []
        self._loads = [psutil.getloadavg()[0]]
        self._before: list[Run] = []
        if target is not None and target.with_suffix(".json").exists():
            self._before = json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        found = [row for name, row in report.user_properties if name == "fault"]
        self._rows += found  # type: ignore[arg-type]
        self._loads.append(psutil.getloadavg()[0])
        if found and self._target is not None:
            self._write(self._target)

    def _write(self, target: Path) -> None:
        runs = with_new(self._before, {"machine": machine(self._loads), "rows": self._rows})
        text = target.read_text(encoding="utf-8")
        target.write_text(page(text, runs), encoding="utf-8")
        target.with_suffix(".json").write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._rows:
            terminalreporter.section("faults")
            for line in lines(self._rows):
                terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-reliability", type=Path, metavar="PAGE", help="write the rows there")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        target = config.getoption("--write-reliability", default=None)
        config.pluginmanager.register(Rows(target), "fault-rows")
