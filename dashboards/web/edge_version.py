"""Whether an edge box runs what is wanted of it, in the words of a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboards.web import refusal_words
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import Words
from ingest.registry.configs import RunningConfig
from ingest.services.views import Health

State = Literal["runs", "waits", "refused", "silent"]
_HEALTH: dict[State, Health] = {
    "runs": "ok",
    "waits": "degraded",
    "refused": "down",
    "silent": "unknown",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The version `wanted` beside the one that `runs`, as the edge said `at` some time.

    `why` it was refused, in words; `said` is how the box put it, in English.
    """

    state: State
    wanted: int
    runs: int | None
    at: Moment | None
    why: str | None
    said: str | None

    @property
    def health(self) -> Health:
        """The traffic light that goes with it."""
        return _HEALTH[self.state]


def standing(
    wanted: int, running: RunningConfig | None, calendar: Calendar, words: Words
) -> Standing:
    """Return how a box stands to what is wanted of it."""
    if running is None:
        return Standing("silent", wanted, None, None, None, None)
    state: State = "runs" if running.version == wanted else "waits"
    if running.refused == wanted:
        state = "refused"
    at = calendar.moment(running.at)
    said = running.detail
    why = refusal_words.of_refusal(said or "", words) if state == "refused" else None
    return Standing(state, wanted, running.version, at, why, said)


def outcome(before: int | str, after: int) -> Literal[1, 2]:
    """Return what a page is to say once saved: 1 for a new version, 2 when nothing differed."""
    return 2 if str(before) == str(after) else 1
