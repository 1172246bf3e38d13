"""What was made, held against what is stored: sets, never counts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that an edge put on disk, at `at` (seconds since 1970)."""

    id: str
    sha256: str
    at: float
    stream: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of facts: `missing` are in no store and were refused by nobody."""

    produced: int
    stored: int
    refused: int
    missing: tuple[Fact, ...]
    doubled: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report: one fault of one run. Seconds are None where they mean nothing.

    `lost` is what nobody can account for; `evicted` went by a rule, counted and shown by the
    product itself. `repeated` came more than once and was recognised. `stored_after` and
    `worked_after` count from the end of the fault, or from a kill, to the first new fact in the
    journal, and in people's hands with the page answering.
    """

    fault: str
    requirement: str
    seed: int
    produced: int
    stored: int
    lost: int
    doubled: int
    evicted: int = 0
    refused: int = 0
    repeated: int = 0
    stored_after: float | None = None
    worked_after: float | None = None
    note: str = ""
    measured: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def compare(
    truth: Iterable[Fact], stored: Sequence[tuple[str, str]], refused: Iterable[str] = ()
) -> Verdict:
    """Hold facts against (id, sha256) of what is stored, and the ids of what was refused."""
    facts = list(truth)
    refused = set(refused)
    bytes_of = dict(stored)
    times = Counter(event_id for event_id, _ in stored)
    ours = [fact for fact in facts if fact.id in bytes_of]
    return Verdict(
        produced=len(facts),
        stored=len(ours),
        refused=sum(1 for fact in facts if fact.id in refused),
        missing=tuple(f for f in facts if f.id not in bytes_of and f.id not in refused),
        doubled=tuple(fact.id for fact in facts if times[fact.id] > 1),
        changed=tuple(fact.id for fact in ours if bytes_of[fact.id] != fact.sha256),
    )
