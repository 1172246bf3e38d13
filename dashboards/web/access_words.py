"""Who may come in, in words of the page's language: roles, rights, and what is refused why."""

from __future__ import annotations

import re

from dashboards.web import fault_words
from dashboards.web.language import msg
from dashboards.web.words import Words
from ingest.accounts.account import Right, Role

ROLES: dict[Role, str] = {
    "duty": msg("Property duty"),
    "supervisor": msg("Supervisor"),
    "community": msg("Community worker"),
    "street": msg("Street viewer"),
    "integrator": msg("Integrator"),
    "admin": msg("Administrator"),
}
RIGHTS: dict[Right, str] = {
    "see": msg("see what happens"),
    "look": msg("look at pictures"),
    "act": msg("handle incidents"),
    "command": msg("command doors, lamps and speech"),
    "arrange": msg("arrange rules and rosters"),
    "administer": msg("administer"),
}
NOT_BOTH = "the whole site, or some areas: not both"
NO_AREA = "no area is chosen"
_FAULTS = (
    (r"^name '.*' is not usable$", msg("A name has 1 to 64 letters and digits, without spaces")),
    (r"^there is already an account", msg("There is another of this name already")),
    (r"^(role .* is none|no such role)$", msg("There is no such role")),
    (r"^areas .* are none$", msg("Name areas by their ids, such as b03")),
    (r"^scopes .* are none$", msg("Choose at least one thing that it may do")),
    (r"^a label has 1 to 64", msg("A name of 1 to 64 characters is needed, on one line")),
    (r"^1 to 3650 days$", msg("Between 1 and 3650 days")),
    (r"^this is the last administrator$", msg("Nobody else could administer: make another first")),
    (f"^{NOT_BOTH}$", msg("Choose the whole estate or single buildings, not both")),
    (f"^{NO_AREA}$", msg("Choose at least one building")),
    (r"^the password is wrong", msg("The password of now is wrong, or was wrong too often")),
    (r"^a password has 10 to 128", msg("A password has 10 to 128 characters")),
)
_KNOWN = tuple((re.compile(pattern, re.DOTALL), text) for pattern, text in _FAULTS)


def fault(what: str, words: Words) -> str:
    """Return why something was not done; what is unknown stands behind words of the page."""
    found = next((text for pattern, text in _KNOWN if pattern.search(what)), None)
    return fault_words.unknown(what, words) if found is None else words.say(found)
