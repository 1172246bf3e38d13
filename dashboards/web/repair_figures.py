"""The figures in what the doctor found, in the language of the page: how much, how many, when.

The doctor speaks English; a test holds the two together. What has no figure has nothing here.
"""

from __future__ import annotations

from dashboards.web.language import msg
from dashboards.web.phrases import find, table
from dashboards.web.words import Words

_FIGURES = table(
    (
        r"(?P<free>[\d.]+) GB are free on the disk .* little is left in (?P<days>\d+) day",
        msg("%(free)s GB are free; days until little is left, at this pace: %(days)s."),
    ),
    (r"(?P<free>[\d.]+) GB are free on the disk", msg("%(free)s GB are free.")),
    (r"has (?P<free>[\d.]+) GB of disk left", msg("%(free)s GB are free.")),
    (
        r"is (?P<rows>\d+) rows? and (?P<lag>\d+) min behind",
        msg("Reports waiting: %(rows)s, the oldest for %(lag)s min."),
    ),
    (
        r"(?P<made>\d+) probes? made, .+ (?P<lost>\d+) lost, 95 % .+ within (?P<p95>[\d.]+) s",
        msg(
            "Test reports made: %(made)s, lost: %(lost)s; nineteen of twenty came within %(p95)s "
            "seconds in the last hour."
        ),
    ),
    (
        r"(?P<made>\d+) probes? made, (?P<stored>\d+) stored, (?P<lost>\d+) lost",
        msg("Test reports made: %(made)s, arrived: %(stored)s, lost: %(lost)s."),
    ),
    (
        r"(?P<number>\d+) stored messages? could not be used",
        msg("Reports that could not be used: %(number)s."),
    ),
    (r"refused: (?P<number>\d+) reading", msg("Readings refused: %(number)s.")),
    (
        r"(?P<kept>\d+) of (?P<most>\d+) MB of refused messages are kept",
        msg("%(kept)s of %(most)s MB are used."),
    ),
    (
        r"(?P<rows>\d+) readings? \w+ means? and (?P<pictures>\d+) pictures? so far",
        msg("Deleted so far: readings and means %(rows)s, pictures %(pictures)s."),
    ),
    (
        r"holds (?P<held>\d+) MB of memory, (?P<most>\d+) MB are usual at most",
        msg("%(held)s MB are held; %(most)s MB are usual at most."),
    ),
    (
        r"(?P<kept>[\d.]+) of (?P<most>[\d.]+) GB of pictures .* all is used in (?P<days>\d+) day",
        msg("%(kept)s of %(most)s GB are used; days until all of it is, as it goes: %(days)s."),
    ),
    (
        r"(?P<kept>[\d.]+) of (?P<most>[\d.]+) GB of pictures are kept",
        msg("%(kept)s of %(most)s GB are used."),
    ),
    (
        r"no picture came of (?P<number>\d+) incident",
        msg("Incidents of the last day without their picture: %(number)s."),
    ),
    (
        r"InfluxDB refused (?P<number>\d+) points?; (?P<gone>\d+) of them",
        msg("Figures refused: %(number)s, of these gone from the copy: %(gone)s."),
    ),
    (
        r"(?P<rows>\d+) rows? and (?P<steps>\d+) steps? of incidents to write",
        msg("Waiting: reports %(rows)s, steps of incidents %(steps)s."),
    ),
    (r"the newest is of (?P<day>[\d-]+)", msg("The newest is of %(day)s.")),
    (
        r"that (?P<number>\d+) people, accounts or tokens left",
        msg("People, accounts or tokens: %(number)s."),
    ),
    (
        r"started again; (?P<number>\d+) time",
        msg("Times started again: %(number)s."),
    ),
    (r"(?P<number>\d+) \w+ of .+ wait to be sent", msg("Reports waiting: %(number)s.")),
    (
        r"gave up (?P<number>\d+) \w+ for lack of space; (?P<refused>\d+) were refused",
        msg("Reports given up: %(number)s, refused: %(refused)s."),
    ),
    (
        r"breaks the contract; (?P<number>\d+) of its messages were not read",
        msg("Reports not read: %(number)s."),
    ),
    (r"runs ahead, last noticed (?P<at>[\d-]+ [\d:]+) UTC", msg("Last noticed %(at)s UTC.")),
    (
        r"runs Linli (?P<theirs>\S+), this is (?P<ours>\S+)$",
        msg("The box has %(theirs)s, the server %(ours)s."),
    ),
    (
        r"given up in the last day: (?P<number>\d+) notification",
        msg("Notifications of the last day given up: %(number)s."),
    ),
    (
        r"sign in at the broker: (?P<number>\d+) time",
        msg("Times in a day: %(number)s."),
    ),
    (
        r"retains (?P<number>\d+) messages, this community needs at most (?P<most>\d+)",
        msg("It holds %(number)s messages; at most %(most)s are needed."),
    ),
    (
        r"not told to the district yet: (?P<number>\d+) end",
        msg("Incidents that are over and not told yet: %(number)s."),
    ),
    (r"\bended on (?P<day>[\d-]+)", msg("It ended on %(day)s.")),
    (r"\bends on (?P<day>[\d-]+)", msg("It ends on %(day)s.")),
)


def figures(what: str, words: Words) -> str | None:
    """Return the figures in what was found, None where there are none."""
    return find(_FIGURES, what, words)
