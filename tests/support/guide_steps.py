"""The guides below docs/guides as steps: fenced `sh` blocks, and what they say one should see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
NOT_RUN = "# not run in CI: "
CHINESE = ".zh-CN.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Step:
    """Commands, what is seen after them (None: nothing is said), and why CI leaves them out."""

    line: int
    commands: str
    seen: str | None = None
    left_out: str | None = None

    @property
    def bare(self) -> str:
        """The commands without comments, which each language has its own of."""
        lines = self.commands.splitlines()
        return "\n".join(line for line in lines if not line.startswith("#"))

    def missing(self, output: str) -> str | None:
        """Return the first line that should be seen and is not, in this order; None when all are.

        `…` stands for anything.
        """
        rest = output
        for line in (self.seen or "").splitlines():
            wanted = ".*?".join(re.escape(part) for part in line.strip().split(_ANYTHING))
            found = re.search(wanted, rest)
            if found is None:
                return line
            rest = rest[found.end() :]
        return None


def names() -> list[str]:
    """Return the guides, by name, without their languages."""
    there = (one.name for one in GUIDES.glob(f"*{CHINESE}"))
    return sorted(name.removesuffix(CHINESE) for name in there if not name.startswith("README"))


def steps_of(path: Path) -> list[Step]:
    """Return the steps of one page in order; a `text` block after commands is what they show."""
    text, steps = path.read_text(encoding="utf-8"), []
    for found in _BLOCK.finditer(text):
        kind, inside = found.groups()
        if kind == "sh":
            first = inside.splitlines()[0]
            why = first.removeprefix(NOT_RUN) if first.startswith(NOT_RUN) else None
            steps.append(Step(text.count("\n", 0, found.start()) + 2, inside, left_out=why))
        elif kind == "text" and steps and steps[-1].seen is None:
            last = steps.pop()
            steps.append(Step(last.line, last.commands, inside, last.left_out))
    return steps
