"""docs/reference/influx.md, made from the schema."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.influx.schema import MEASUREMENTS, METRICS, Measurement

_HEAD = """# What Linli writes into InfluxDB

Made from `ingest/influx/schema.py`; a test compares them.

One database (1.x), bucket (2.x) or database (3.x) holds everything. Nothing in it names or pictures
a person: who acted is kept by Linli alone. All of it is a copy: Linli needs none of it to work.

- **Time** is that of the fact, never that of writing, in nanoseconds. What could come twice in one
  millisecond (`event`, `incident`, `incident_state`, `presence`) has the millisecond of its time,
  and below it the last six digits of the row it comes from. So two never overwrite each other, and
  the same one written again overwrites itself.
- **Flags** are integers 1 and 0, since InfluxQL cannot sum booleans. What is not known is left out.
- **Tags**: an empty one is written `-`; a backslash, a line break or another control character in
  one is written `_`. Fields carry any text as it is.
- **Retention** is the database's own: set it there (a year is a good start). Linli deletes nothing,
  and what is written again after a restart is younger than the journal (8 days).
- **Limit**: so many combinations of tag values of a measurement are written at most (table),
  counted from the start of the web process. A point of one more is put aside with the reason
  `too-many-series`, like one that InfluxDB refuses: `linli influx park list` shows them, `linli
  influx park retry` sends them again, and beyond 10000 of them they are only counted.

"""
_EXAMPLES = """## Questions in InfluxQL

The open incidents, worst first (sort by `urgency` in the panel). A slot belongs to the newest
incident with its number modulo 10000, so one that stays open while 10000 younger ones come is on
Linli's own pages only.

```sql
SELECT * FROM (SELECT last("open") AS "open", last("number") AS "number", last("title") AS "title",
  last("severity") AS "severity", last("urgency") AS "urgency", last("state") AS "state",
  last("device") AS "device", last("first") AS "first", last("url") AS "url"
  FROM "incident_state" GROUP BY "slot") WHERE "open" = 1
```

Incidents a day, by kind; median time to see one:

```sql
SELECT count("number") FROM "incident"
  WHERE "transition" = 'opened' AND $timeFilter GROUP BY time(1d), "name"
SELECT median("seconds_to_acknowledge") FROM "incident" WHERE $timeFilter GROUP BY time(1d)
```

Names for a variable: each option reads `label (id)`.

```sql
SELECT last("option") FROM "label" WHERE "kind" = 'device' GROUP BY "area", "node", "device"
```
"""


def text() -> str:
    """Return the whole document."""
    parts = [_HEAD, *_overview()]
    for one in MEASUREMENTS:
        parts += _measurement(one)
    parts += ["## Metrics of `linli`\n\n| `metric` | value |\n|---|---|\n"]
    parts += [f"| `{name}` | {meaning} |\n" for name, meaning in METRICS.items()]
    return "".join([*parts, "\n", _EXAMPLES])


def _overview() -> Iterator[str]:
    yield "| measurement | what it holds | series at most |\n|---|---|---|\n"
    for one in MEASUREMENTS:
        yield f"| [`{one.name}`](#{one.name}) | {one.meaning} | {one.most_series} |\n"
    yield "\n"


def _measurement(one: Measurement) -> Iterator[str]:
    yield f"## {one.name}\n\n{one.meaning} Time: {one.time}.\n\n"
    yield "| column | | unit | meaning |\n|---|---|---|---|\n"
    for tag in one.tags:
        yield f"| `{tag.name}` | tag | | {tag.meaning} |\n"
    for field in one.fields:
        kind = f"{field.type}, may be missing" if field.optional else field.type
        unit = f" `{field.unit}` " if field.unit else " "
        yield f"| `{field.name}` | {kind} |{unit}| {field.meaning} |\n"
    yield "\n"
