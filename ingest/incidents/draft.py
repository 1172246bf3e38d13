"""An incident as it will be, while the rows that make it so are being decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from ingest.incidents.fold import apply
from ingest.incidents.incident import Incident, Page, Step, Transition, Why


@dataclass(slots=True)
class Draft:
    """The incident so far, None until it is opened, and the rows so far.

    `now` is when we had what they come from.
    """

    incident: Incident | None
    now: datetime
    rows: list[Transition] = field(default_factory=list)
    before: Incident | None = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.incident

    @property
    def known(self) -> Incident:
        """The incident so far, when there is one."""
        assert self.incident is not None
        return self.incident

    def add(self, row: Transition) -> None:
        """Append a row."""
        self.incident = apply(self.incident, row)
        self.rows.append(row)

    def step(self, step: Step, actor: str, *, at: datetime | None = None, **set_here: Any) -> None:
        """Append a row that comes from no edge."""
        when = at or self.now
        self.add(
            Transition(
                incident=self.known.id, step=step, at=when, recorded=when, actor=actor, **set_here
            )
        )

    def mark(self, index: int, page: Page, why: Why) -> None:
        """Say of a row whether people are called."""
        self.rows[index] = replace(self.rows[index], page=page, why=why)
        incident = self.before
        for row in self.rows:
            incident = apply(None if row.step == "opened" else incident, row)
        self.incident = incident
