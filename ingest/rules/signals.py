"""What rules say to the incidents."""

from __future__ import annotations

import uuid
from typing import Literal, NamedTuple

import msgspec

from ingest.incidents.facts import EventFact

Kind = Literal["raise", "touch", "clear"]
MOST_EVIDENCE = 8
_EPISODES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:linli:rules:episode")


class Outcome(NamedTuple):
    """What one rule says of one target: its condition began to hold, goes on, or is over.

    Times in microseconds: `at` of this outcome, `since` the condition holds, `raised` when it did
    for long enough, which names the episode. `evidence` are ids of messages, `why` is a formula
    that needs no translation, `fact` is the edge's own words where it has some.
    """

    kind: Kind
    at: int
    since: int
    raised: int
    evidence: tuple[str, ...] = ()
    why: str = ""
    fact: EventFact | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome as incidents take it: `fact` has key, phase, episode, severity, times and policy.

    `rule` and `version` say which rule of which rule set, `known_only` that it opens nothing.
    """

    kind: Kind
    rule: str
    version: int
    label: str
    fact: EventFact
    evidence: tuple[str, ...] = ()
    why: str = ""
    known_only: bool = False


def episode_of(rule: str, target: str, raised: int) -> str:
    """Return the id of what a rule saw begin: the same whenever the same facts are read again."""
    return str(uuid.uuid5(_EPISODES, f"{rule}\n{target}\n{raised}"))
