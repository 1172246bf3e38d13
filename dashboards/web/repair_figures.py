"""The figures in what the doctor found, in the language of the page: how much, how many, when.

The doctor speaks English; a test holds the two together. What has no figure has nothing here.
"""

from __future__ import annotations

from dashboards.web.language import msg
from dashboards.web.phrases import find, table
from dashboards.web.words import Words

_FIGURES = table(
    (
        r"(?P<free>[\d.]+) GB are free on the disk .* little is left in (?P<days>\d+) days",
        msg("%(free)s GB are free; at this pace, little is left in %(days)s days."),
    ),
    (r"(?P<free>[\d.]+) GB are free on the disk", msg("%(free)s GB are free.")),
    (r"has (?P<free>[\d.]+) GB of disk left", msg("%(free)s GB are free.")),
    (
        r"is (?P<rows>\d+) rows and (?P<lag>\d+) min behind",
        msg("%(rows)s reports wait, the oldest for %(lag)s minutes."),
    ),
    (
        r"(?P<made>\d+) probes made, .+ (?P<lost>\d+) lost, 95 % .+ within (?P<p95>[\d.]+) s",
        msg(
            "%(made)s test reports were made, %(lost)s lost; nineteen of twenty came within "
            "%(p95)s seconds in the last hour."
        ),
    ),
    (
        r"(?P<made>\d+) probes made, (?P<stored>\d+) stored, (?P<lost>\d+) lost",
        msg("%(made)s test reports were made, %(stored)s came, %(lost)s were lost."),
    ),
    (
        r"(?P<number>\d+) stored messages could not be used",
        msg("%(number)s reports could not be used."),
    ),
    (r"(?P<number>\d+) readings were refused", msg("%(number)s readings were refused.")),
    (
        r"(?P<kept>\d+) of (?P<most>\d+) MB of refused messages are kept",
        msg("%(kept)s of %(most)s MB are used."),
    ),
    (
        r"(?P<rows>\d+) readings and means and (?P<pictures>\d+) pictures so far",
        msg("%(rows)s readings and means and %(pictures)s pictures were deleted so far."),
    ),
    (
        r"holds (?P<held>\d+) MB of memory, (?P<most>\d+) MB are usual at most",
        msg("%(held)s MB are held; %(most)s MB are usual at most."),
    ),
    (
        r"(?P<kept>[\d.]+) of (?P<most>[\d.]+) GB of pictures .* all is used in (?P<days>\d+) days",
        msg("%(kept)s of %(most)s GB are used; as it goes, all of it in %(days)s days."),
    ),
    (
        r"(?P<kept>[\d.]+) of (?P<most>[\d.]+) GB of pictures are kept",
        msg("%(kept)s of %(most)s GB are used."),
    ),
    (
        r"the pictures of (?P<number>\d+) incidents of the last day have not come",
        msg("%(number)s incidents of the last day are without their picture."),
    ),
    (
        r"InfluxDB refused (?P<number>\d+) points; (?P<gone>\d+) of them",
        msg("%(number)s figures were refused, %(gone)s of them are gone from the copy."),
    ),
    (
        r"(?P<rows>\d+) rows and (?P<steps>\d+) steps of incidents wait",
        msg("%(rows)s reports and %(steps)s steps of incidents wait."),
    ),
    (r"the newest is of (?P<day>[\d-]+)", msg("The newest is of %(day)s.")),
    (
        r"that (?P<number>\d+) people, accounts or tokens left",
        msg("People, accounts or tokens: %(number)s."),
    ),
    (
        r"started again; (?P<number>\d+) times since",
        msg("It was started again %(number)s times."),
    ),
    (r"(?P<number>\d+) \w+ of .+ wait to be sent", msg("%(number)s reports wait.")),
    (
        r"gave up (?P<number>\d+) \w+ for lack of space; (?P<refused>\d+) were refused",
        msg("%(number)s reports were given up, %(refused)s refused."),
    ),
    (
        r"breaks the contract; (?P<number>\d+) of its messages were not read",
        msg("%(number)s reports were not read."),
    ),
    (r"runs ahead, last noticed (?P<at>[\d-]+ [\d:]+) UTC", msg("Last noticed %(at)s UTC.")),
    (
        r"runs Linli (?P<theirs>\S+), this is (?P<ours>\S+)$",
        msg("The box has %(theirs)s, the server %(ours)s."),
    ),
    (
        r"(?P<number>\d+) notifications of the last day were given up",
        msg("%(number)s notifications of the last day were given up."),
    ),
    (
        r"sign in at the broker: (?P<number>\d+) times in a day",
        msg("%(number)s times in a day."),
    ),
    (
        r"retains (?P<number>\d+) messages, this community needs at most (?P<most>\d+)",
        msg("It holds %(number)s messages; at most %(most)s are needed."),
    ),
    (
        r"(?P<number>\d+) ends of incidents wait to be told",
        msg("%(number)s incidents that are over wait to be told."),
    ),
    (r"\bended on (?P<day>[\d-]+)", msg("It ended on %(day)s.")),
    (r"\bends on (?P<day>[\d-]+)", msg("It ends on %(day)s.")),
)


def figures(what: str, words: Words) -> str | None:
    """Return the figures in what was found, None where there are none."""
    return find(_FIGURES, what, words)
