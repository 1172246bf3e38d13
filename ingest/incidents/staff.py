"""What people's steps, silences and groups do to an incident. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.incidents.calls import RULE_STORM
from ingest.incidents.draft import Draft
from ingest.incidents.facts import Case, MemberFact, PartFact, Recheck, StaffFact
from ingest.incidents.fold import worse
from ingest.incidents.incident import Incident, Step
from ingest.incidents.silence import covering

SILENCE = "silence:"
_BONDS = {"parent": "rule:parent", "storm": RULE_STORM}


def staff(draft: Draft, fact: StaffFact) -> None:
    """Take a person's step; one that changes nothing adds nothing."""
    one = draft.known

    def add(step: Step, **set_here: Any) -> None:
        note = fact.note if not draft.rows else None
        draft.step(step, fact.actor, note=note, **set_here)

    if fact.wish == "note":
        add("noted", photo=fact.photo)
    elif fact.wish == "undo":
        add("undone", undoes=fact.undoes, back=fact.back)
    else:
        _state(one, fact, add)


def _state(one: Incident, fact: StaffFact, add: Callable[..., None]) -> None:
    """Take a step that says how it stands."""
    if fact.wish == "label" and one.key.drill:
        return
    if fact.wish == "label" and one.label != fact.label:
        add("labelled", label=fact.label)
    if one.state == "resolved":
        if fact.wish == "resume":
            add("resumed")
        return
    if fact.wish == "resolve" or (fact.wish == "label" and fact.label == "false-alarm"):
        add("resolved")
    elif fact.wish == "start" and one.state != "in-progress":
        add("started")
    elif fact.wish == "acknowledge" and one.state == "open":
        add("acknowledged")
    elif fact.wish == "shelve" and (one.shelved_until, one.shelved_by) != (fact.until, fact.actor):
        add("shelved", until=fact.until)
    elif fact.wish == "unshelve" and one.shelved_until is not None:
        add("unshelved")


def recheck(draft: Draft, fact: Recheck, case: Case) -> None:
    """Look again which silence covers it; what a person shelved stays as they said."""
    one = draft.known
    by_silence = one.shelved_by is not None and one.shelved_by.startswith(SILENCE)
    if one.state == "resolved" or (one.shelved_until is not None and not by_silence):
        return
    cover = covering(case.covers, one)
    if cover is not None:
        said = (cover.until, f"{SILENCE}{cover.silence}")
        if said != (one.shelved_until, one.shelved_by):
            draft.step("shelved", said[1], until=said[0])
    elif one.shelved_until is not None:
        draft.step("unshelved", fact.actor)


def part(draft: Draft, fact: PartFact) -> None:
    """Make it part of another incident, or let it stand by itself."""
    one, actor = draft.known, _BONDS[fact.bond]
    if one.state == "resolved" or (one.part_of, one.part_until) == (fact.part_of, fact.until):
        return
    if fact.part_of is None:
        draft.step("left", actor)
    else:
        draft.step("joined", actor, part_of=fact.part_of, bond=fact.bond, until=fact.until)


def member(draft: Draft, fact: MemberFact) -> None:
    """Count what is part of it; a storm is as severe as the worst that came in it."""
    one = draft.known
    if fact.change == "left":
        draft.step("released", "rule:part", member=fact.member)
        return
    if fact.change == "joined":
        draft.step("gathered", "rule:part", member=fact.member, until=fact.lapses)
    severity = fact.severity
    if severity is not None and worse(one.severity, severity) != one.severity:
        draft.step("worsened", RULE_STORM, severity=severity, member=fact.member)
