"""A list for the registry in words, before it counts."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.web.registry_words import fault_words, field_word, value_word
from dashboards.web.words import Words
from ingest.registry.plan import Change, Plan, Preview

SHOWN = 200
"""Lines of a preview that a page shows; an old phone could not show ten thousand."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a preview: what happens to a record, in words."""

    row: int | None
    mark: str
    what: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused row: where, why, what to do."""

    row: int | None
    column: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Look:
    """A list as it was read, and what it would do."""

    preview: Preview
    tag: str
    text: str
    lines: tuple[Line, ...]
    refused: tuple[Refused, ...]


def look(made: Plan, text: str, words: Words) -> Look:
    """Put what a list would do into words, as far as a page shows it."""
    found = made.preview
    return Look(
        preview=found,
        tag=made.tag,
        text=text,
        lines=tuple(_line(one, words) for one in found.changes[:SHOWN]),
        refused=tuple(
            Refused(
                row=one.row,
                column=field_word(one.column, words),
                value=one.value,
                why=fault_words(one.rule, one.hint, words),
            )
            for one in found.faults[:SHOWN]
        ),
    )


def _line(change: Change, words: Words) -> Line:
    said = []
    for one in change.fields:
        name = field_word(one.field, words)
        after = value_word(one.field, one.after, words)
        if change.action == "created":
            said.append(f"{name}: {after}")
        else:
            said.append(f"{name}: {value_word(one.field, one.before, words)} → {after}")
    marks = {"created": "+", "changed": "~", "removed": "−"}
    return Line(change.row, marks[change.action], change.id, tuple(said))
