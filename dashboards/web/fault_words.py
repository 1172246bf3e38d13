"""What is wrong with rules, documents and files, in the language of the page.

The validators speak English; each table holds all that one of them can say, and a test holds them
together. What is unknown of an edge box or of an account stands behind words of the page.
"""

from __future__ import annotations

import re

from dashboards.web.language import msg
from dashboards.web.phrases import ANY_FILE, find, table
from dashboards.web.words import Words
from ingest.rules.loading import Fault

# What msgspec says of the form of a value, whatever holds it.
_FORM = table(
    (r"required field `(people|who)`", msg("Choose at least one")),
    (r"required field", msg("Something is missing here")),
    (r"matching regex|has the wrong form$", msg("This has the wrong form")),
    (r"Invalid (ISO8601|RFC3339|UUID|value)", msg("This has the wrong form")),
    (r"Invalid enum", msg("This is none of the known words")),
    (r"unknown field", msg("Nobody knows this key")),
    (r"Expected `(float|int)[^`]*` (?P<rule>[<>]=? [^,]+)", msg("A number %(rule)s is needed")),
    (r"Expected `(float|int)[^`]*`", msg("A number is needed")),
    (r"length >= 1", msg("Choose at least one")),
    (r"`array` of length <= (?P<most>\d+)", msg("At most %(most)s of them")),
    (r"`str(?: \| null)?` of length <= (?P<most>\d+)", msg("At most %(most)s characters")),
    (r"of length", msg("This is too long or too short")),
    (r"Expected `str[^`]*`, got", msg("Text is needed here")),
    (r"Expected `bool[^`]*`, got", msg("Yes or no is needed here: true or false")),
    (r"Expected `array[^`]*`, got", msg("A list is needed here")),
    (r"Expected `object[^`]*`, got", msg("A table is needed here")),
    (r"[Oo]ut of range|too large", msg("This number is too small or too large")),
)
_RULES = (
    table(
        (r"^is missing$", msg("This is needed")),
        (r"^nobody knows this key", msg("Nobody knows this key")),
        (r"is no length of time", msg("This is no length of time: a whole number and its unit")),
        (r"longer than 31d", msg("At most 31 days")),
        (r"must be at least 60s", msg("At least one minute")),
        (r"must be at least (?P<most>\d+)s", msg("At least %(most)s seconds")),
        (r"must be at most (?P<most>\d+)s", msg("At most %(most)s seconds")),
        (r"give one of above and below", msg("Fill in one of the two: above or below")),
        (r"must not be higher than above", msg("It must not be higher than the limit above")),
        (r"must not be lower than below", msg("It must not be lower than the limit below")),
        (r"of the last \d+ readings cannot be", msg("More than the readings that are looked at")),
        (r"needs a group", msg("Name a group of devices for this")),
        (r"no group '(?P<name>[^']*)'", msg("There is no group %(name)s")),
        (r"give at most one of reading", msg("Give a reading or an event, not both")),
        (r"write 00:00, not 24:00", msg("Write 00:00, not 24:00")),
        (r"is there twice", msg("There is another of this name already")),
        (r"^needs a type", msg("It is not said what kind of rule this is")),
        (r"^no rule is of type", msg("There is no such kind of rule")),
        (r"has at most (?P<most>\d+) KiB", msg("The document is too long: at most %(most)s KiB")),
        (
            r"^not valid TOML: .*line (?P<line>\d+)",
            msg("Line %(line)s is not written as TOML wants"),
        ),
        (r"^not valid TOML", msg("This is not written as TOML wants; is something not closed?")),
        (r"below its own \[\[rule\]\]", msg("Write each rule below its own [[rule]]")),
        (r"^at most (?P<most>\d+), not", msg("At most %(most)s of them")),
    )
    + _FORM
)
_PAPERS = (
    table(
        (r"no person or team", msg("This person or team is not in use any more")),
        (r"no person", msg("This person does not work here any more")),
        (r"no team", msg("There is no such team any more")),
        (r"no ladder", msg("There is no such ladder")),
        (r"no channel", msg("There is no such channel")),
        (
            r"is that of a channel in the settings file",
            msg("The settings file of the server has a channel of this name"),
        ),
        (r"there are (?P<most>\d+) channels", msg("There are %(most)s channels already")),
        (r"needs both, token and key", msg("Token and key belong together: give both")),
        (r"is written down as", msg("Write the secret itself down")),
        (
            r"goes elsewhere: write it down again",
            msg("The channel goes elsewhere now: write this down again"),
        ),
        (r"must be text of 1 to", msg("This is too long or too short")),
        (r"is not an EncodingAESKey", msg("This is no key of a callback: copy it again")),
        (r"is reached by it", msg("People are reached by it")),
        (
            r"secret is gone|cannot be opened",
            msg("It cannot be read: write it down again"),
        ),
        (r"line breaks or letters beyond", msg("This is no token: copy it again")),
        (r"is not installed|pip install", msg("The library for it is not installed here")),
        (r"no place", msg("There is no such place")),
        (r"never comes", msg("It never comes: one before it takes everything")),
        (r"must be between PT0S", msg("At most one day")),
        (r"must be between PT1M", msg("Between one minute and one day")),
        (r"begin and end must differ", msg("Begin and end must differ")),
        (r"must be after begin", msg("It must end after it begins")),
        (r"need a time zone", msg("Give the times with their time zone")),
        (r"is that of ways", msg("This way is there twice")),
        (r"is that of the address", msg("This is the roster of another team")),
        (r"on one line", msg("It must be on one line, without spaces around it")),
        (r"is no id such as", msg("A short name of letters a-z, digits and -")),
        (r"days of a cycle", msg("This day is not in the cycle")),
        (r"is no e-mail address", msg("This is no e-mail address")),
        (r"is no phone number", msg("This is no phone number")),
        (r"is no topic of ntfy", msg("This is no topic of ntfy: letters, digits, - and _")),
        (
            r"is no key of a bot",
            msg("Only the key: what follows key= in the web address of the bot"),
        ),
        (
            r"is TOKEN or TOKEN SECRET",
            msg("Only the token, and its secret after a space; no web address"),
        ),
        (r"leads to an address inside", msg("It leads into the own network, which is not allowed")),
        (r"is not encrypted", msg("It must begin with https://, or the messages can be read")),
        (r"must begin with https", msg("It must begin with https://")),
        (r"is not a web address", msg("This is no web address")),
        (r"must not hold a name or password", msg("The address must not hold a name or password")),
        (r"its name is not known", msg("Nobody knows this web address; is it spelled right?")),
    )
    + _FORM
)
_CELLS = table(
    (r"^is needed$", msg("This is needed")),
    (r"is a formula", msg("This is a formula: paste values before saving")),
    (r"year first", msg("This is no date with its year first, such as 2026-03-02")),
    (r"no day of the calendar", msg("There is no such day")),
    (r"no time of day", msg("This is no time of day, such as 08:00")),
    (r"no span of hours", msg("These are no hours, such as 08:00-20:00")),
    (r"^names nobody$", msg("Nobody is named")),
    (r"is nobody in the registry", msg("Nobody here is called so")),
    (r"^may be (?P<who>.*): write the id", msg("Several are called so: write %(who)s")),
    (r"(?P<count>\d+) dated shifts", msg("Too many shifts: %(count)s")),
)
_FILES = ANY_FILE + table(
    (r"no column", msg("Columns are needed with the titles 日期, 开始, 结束, 姓名")),
)
_CONFIGS = (
    table(
        (
            r"votes must be at most of \((?P<most>\d+)\)",
            msg("At most %(most)s: it cannot be seen in more pictures than are looked at"),
        ),
        (
            r"gone_after must be at least two analysed frames \((?P<least>[\d.]+) s",
            msg("It may be over after %(least)s seconds at the soonest, which are two pictures"),
        ),
        (r"(?:watches|names) zone '(?P<name>[^']*)'", msg("There is no zone %(name)s")),
        (r"there is no pack '(?P<name>[^']*)'", msg("There is no scenario %(name)s")),
        (r"unknown setting '(?P<name>[^']*)'", msg("There is no setting %(name)s")),
        (r"has no area", msg("It has no area; draw its corners apart")),
        (r"is no line; its points", msg("The two ends are too near to each other")),
        (r"may not be called '(?P<name>[^']*)'", msg("It may not be called %(name)s")),
        (r"is there twice", msg("Something is there twice.")),
        (
            r" names \w+ '|which there is not",
            msg("It names something that there is not, such as a zone, a sensor or a camera."),
        ),
        (
            r"needs (file|say)|go together|neither|is for (files|events)|guidance point|a file has",
            msg("These settings do not go together"),
        ),
        (r"only taught can be given here", msg("Only what was taught can be given here")),
        (r"a password is kept on the edge box", msg("A password is kept on the edge box alone")),
        (r"has more than \d+ bytes", msg("There is too much in it for an edge box")),
        (r"crop is left, top", msg("Mark the place on the picture first")),
        (
            r"source '.*' is no pattern|source must be",
            msg("This is no address of a camera that an edge box can use"),
        ),
        (r"no time zone", msg("There is no such time zone")),
    )
    + _FORM
)
_LESSONS = table(
    (r"is the same picture as (?P<name>.*)", msg("This is the same picture as %(name)s")),
    (
        r"cannot be decoded|not a picture that can be read",
        msg("This is no JPEG that can be read, or it is too large"),
    ),
    (r"pictures; (?P<most>\d+) at most", msg("At most %(most)s pictures of one state")),
    (
        r"at least (?P<least>\d+) are needed",
        msg("At least %(least)s pictures of each state are needed"),
    ),
    (r"teach 2 to (?P<most>\d+) states", msg("Between 2 and %(most)s states can be taught")),
    (r"crop", msg("Mark the place on the picture first")),
    (
        r"not what states were taught|too large for what states were taught",
        msg("What was learned came back damaged. Teach it again."),
    ),
)
_COLUMNS = {
    "date": msg("Date"),
    "from": msg("From"),
    "to": msg("Until"),
    "hours": msg("Hours"),
    "names": msg("Names"),
}
_MEANT = re.compile(r"Did you mean '(?P<text>[^']*)'\?")


def of_rule(fault: Fault, words: Words) -> str:
    """Return what is wrong with a key of a rule, and which key may be meant."""
    found = find(_RULES, fault.what, words)
    if found is None:
        return fault.said
    meant = _MEANT.search(fault.hint)
    advice = words.say(msg("Did you mean %(text)s?")) % meant.groupdict() if meant else ""
    return f"{found}{words.say(msg('. '))}{advice}" if advice else found


def of_rules(fault: Fault, words: Words) -> str:
    """Return the same with the rule and the key, as they stand in the document."""
    parts = [fault.rule and words.say(msg("Rule %(name)s")) % {"name": fault.rule}, fault.key]
    where = " · ".join(part for part in parts if part)
    return (
        f"{where}{words.say(msg(': '))}{of_rule(fault, words)}" if where else of_rule(fault, words)
    )


def of_text(what: str, words: Words) -> str:
    """Return why a text of rules cannot be changed."""
    return find(_RULES, what, words) or what


def of_paper(text: str, words: Words) -> str:
    """Return what is wrong with a document of duty."""
    return find(_PAPERS, text, words) or text


def of_cell(rule: str, words: Words) -> str:
    """Return what is wrong with a cell of a roster file."""
    return find(_CELLS, rule, words) or rule


def of_file(what: str, words: Words) -> str:
    """Return what is wrong with a roster file as a whole."""
    return find(_FILES, what, words) or what


def of_config(what: str, words: Words) -> str:
    """Return what is wrong with a part of an edge box's document."""
    return find(_CONFIGS, what, words) or unknown(what, words)


def of_lesson(what: str, words: Words) -> str:
    """Return why a place could not be taught."""
    return find(_LESSONS, what, words) or unknown(what, words)


def unknown(what: str, words: Words) -> str:
    """Return what nobody has words for, behind words of the page."""
    said = words.say(msg("This cannot be used as it is"))
    return f"{said}{words.say(msg(': '))}{what}"


def column(name: str, words: Words) -> str:
    """Return the title of a column of a roster file."""
    known = _COLUMNS.get(name)
    return words.say(known) if known else name
