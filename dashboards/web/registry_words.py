"""The registry's fields, values and rules in the language of the page."""

from __future__ import annotations

from dashboards.web.language import msg
from dashboards.web.phrases import ANY_FILE, find, table
from dashboards.web.words import Words
from ingest.registry.plan import Value
from ingest.registry.records import PersonRole, PlaceKind

PLACES: dict[PlaceKind, str] = {
    "site": msg("Site"),
    "building": msg("Building"),
    "area": msg("Public area"),
    "unit": msg("Unit"),
    "point": msg("Point"),
}
FIELDS = {
    "kind": msg("Kind"),
    "label": msg("Called"),
    "label_en": msg("English name"),
    "retired": msg("Out of use"),
    "place": msg("Place"),
    "vendor": msg("Maker"),
    "model": msg("Model number"),
    "capabilities": msg("Capabilities"),
    "network": msg("Network from"),
    "power": msg("Power from"),
    "role": msg("Role"),
    "phone": msg("Phone"),
    "team": msg("Team"),
    "languages": msg("Languages"),
    "account": msg("Account"),
}
KINDS = {
    "lamp": msg("Lamp"),
    "lamp-group": msg("Lamp group"),
    "bin": msg("Bin"),
    "lift": msg("Lift"),
    "switch": msg("Network switch"),
    "gate": msg("Gate"),
    "sensor": msg("Sensor"),
    "cabinet": msg("Power cabinet"),
    "unknown": msg("Kind not known yet"),
}
ROLES: dict[PersonRole, str] = {
    "manager": msg("Manager"),
    "duty": msg("On duty"),
    "security": msg("Security"),
    "repair": msg("Repair"),
    "cleaning": msg("Cleaning"),
    "grid": msg("Grid worker"),
    "integrator": msg("Integrator"),
    "other": msg("Other"),
}
_VALUES: dict[tuple[str, str], str] = {("role", role): said for role, said in ROLES.items()}
_VALUES |= {("kind", kind): said for kind, said in PLACES.items()}
# What ingest.registry says of a broken rule, by what stands in it; a test holds them together.
_RULES = table(
    (r"is needed", msg("is needed")),
    (r"SITE/BUILDING", msg("a path such as c001/b03/u1, of lower-case letters, digits and -")),
    (r"EDGE/DEVICE; each", msg("edge box and device, such as c001-n07/cam-e1")),
    (r"an edge or a device", msg("an edge box or a device, such as c001-n07/sw-1")),
    (r"^lower-case", msg("only lower-case letters a-z, digits and -, at most 32")),
    (r"such as camera", msg("one word such as camera, lamp, bin")),
    (r"1 to 64 characters", msg("1 to 64 characters on one line")),
    (r"yes or no", msg("yes or no")),
    (r"one of manager", msg("one of the known roles")),
    (r"one of site", msg("not a type that is known")),
    (r"digits, with spaces", msg("a telephone number")),
    (r"codes such as zh", msg("languages such as zh or en")),
    (r"words, each", msg("words of lower-case letters, digits and -")),
    (r"is not for type", msg("is not for this type")),
    (r"is for devices", msg("is for devices only")),
    (r"has more cells", msg("has more cells than there are titles")),
    (r"is in row (?P<row>\d+) already", msg("is in row %(row)s already")),
    (r"there is no such account", msg("there is no such account")),
    (r"there is no such", msg("is not registered, and not in this list")),
    (r"is retired", msg("is out of use")),
    (r"is in use", msg("is still needed by something in use")),
    (r"serves the site '(?P<site>[^']+)'", msg("this system serves only %(site)s")),
    (r"stands in a building", msg("must be in a building or public area")),
    (r" is in a ", msg("this sort of place cannot be there")),
    (r"hangs behind itself", msg("nothing hangs behind itself")),
    (r"own services", msg("such names are for Linli's own services; choose one like c001-n02")),
)
_HINTS = table(
    (r"Did you mean '(?P<text>.*)'\?", msg("Did you mean %(text)s?")),
    (r"Row (?P<row>\d+) would make it", msg("Row %(row)s would make it, but is refused")),
    (r"'(?P<who>[^']+)' depends on it", msg("%(who)s depends on it")),
    (r"(?P<way>.+ → .+)", msg("The circle: %(way)s")),
)
_FILES = ANY_FILE + table(
    (r"no column 'id'", msg("There is no column with the title 编号 (id)")),
    (
        r"no column 'type'",
        msg("There is no column with the title 类型 (type); choose below what it lists"),
    ),
)


def field_word(name: str, words: Words) -> str:
    """Return what a field is called."""
    known = FIELDS.get(name)
    return words.say(known) if known else name


def kind_word(kind: str, words: Words) -> str:
    """Return the kind of a device."""
    known = KINDS.get(kind)
    return words.say(known) if known else words.kind(kind)


def value_word(name: str, value: Value, words: Words) -> str:
    """Return a field's value as people read it."""
    if value is None:
        return words.say(msg("(empty)"))
    if value is True:
        return words.say(msg("yes"))
    if isinstance(value, tuple):
        return " ".join(value)
    known = _VALUES.get((name, str(value)))
    if known:
        return words.say(known)
    return kind_word(str(value), words) if name == "kind" else str(value)


def fault_words(rule: str, hint: str, words: Words) -> str:
    """Return a broken rule, and what to do; what is unknown stays as it is."""
    said = find(_RULES, rule, words) or rule
    advice = find(_HINTS, hint, words)
    stop = words.say(msg(". "))
    return f"{said}{stop}{advice}" if advice else said


def file_words(what: str, words: Words) -> str:
    """Return what is wrong with a file."""
    return find(_FILES, what, words) or what
