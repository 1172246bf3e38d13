"""What was changed of people, accounts and tokens, in words: who, when, before and after, why."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.web import access_words, audit_words, options
from dashboards.web.language import msg
from dashboards.web.registry_words import FIELDS
from dashboards.web.registry_words import ROLES as DUTIES
from dashboards.web.visit import Visit
from dashboards.web.words import Words
from ingest.audit.row import AuditRow

SHOWN = 50
_NAMES = {
    **FIELDS,
    "areas": msg("Where"),
    "disabled": msg("Closed: cannot sign in"),
    "scopes": msg("It may"),
    "days": msg("Days"),
    "token": msg("Number"),
    "version": msg("Version"),
}
_DUTIES: dict[str, str] = {str(key): said for key, said in DUTIES.items()}
_ROLES: dict[str, str] = {str(key): said for key, said in access_words.ROLES.items()}
_RIGHTS: dict[str, str] = {str(key): said for key, said in access_words.RIGHTS.items()}
_HIDDEN = {"why", "digest", "token"}
WHOLE = "account-changed"
"""The one act whose row has all fields, changed or not; others name what changed, maybe hidden."""


@dataclass(frozen=True, slots=True)
class Line:
    """One change; `said` are what it is of, with what was before and is now."""

    number: int
    at: str
    who: str
    did: str
    subject: str
    said: tuple[tuple[str, str], ...]
    why: str


def lines(visit: Visit, cursor: str | None) -> tuple[list[Line], str | None]:
    """Return one page, the newest first, and the cursor of the next. Raises NotAllowed."""
    page = visit.house.services.access.audit(visit.viewer, cursor=cursor, limit=SHOWN, people=True)
    words = Words(visit.language, {})
    names = {f"person {key}": name for key, name in options.people(visit)}
    names |= {f"team {key}": name for key, name in options.teams(visit)}
    names |= {key.replace(" ", ":", 1): name for key, name in names.items()}
    return [_line(one, names, visit, words) for one in page.items], page.next


def _line(row: AuditRow, names: dict[str, str], visit: Visit, words: Words) -> Line:
    said = tuple(
        (words.say(_NAMES[name]) if name in _NAMES else name, _value(row.act, name, value, words))
        for name, value in row.detail.items()
        if name not in _HIDDEN and not (row.act == WHOLE and _same(value))
    )
    return Line(
        number=row.id,
        at=visit.calendar.clock(row.at),
        who=audit_words.who(row.actor, words.say),
        did=audit_words.did(row.act, words.say),
        subject=names.get(row.subject, row.subject),
        said=said,
        why=str(row.detail.get("why") or ""),
    )


def _same(value: object) -> bool:
    """Tell whether a value is as it was."""
    before, arrow, after = str(value).partition(" > ")
    return bool(arrow) and before == after


def _value(act: str, name: str, value: object, words: Words) -> str:
    parts = str(value).split(" > ") if isinstance(value, str) else [str(value)]
    return " → ".join(_word(act, name, one, words) for one in parts)


def _word(act: str, name: str, text: str, words: Words) -> str:
    if text in ("", "-", "None"):
        return "—"
    if text in ("True", "False"):
        return words.say(msg("yes") if text == "True" else msg("no"))
    if name == "role":
        known = _DUTIES if act.startswith("registry-") else _ROLES
        return words.say(known.get(text, text))
    if name == "scopes":
        return ", ".join(words.say(_RIGHTS.get(one, one)) for one in text.split())
    if name == "areas" and text in ("all", "*"):
        return words.say(msg("The whole estate"))
    return text
