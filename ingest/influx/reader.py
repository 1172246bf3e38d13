"""Charts read from InfluxDB, in InfluxQL: the one language that 1, 2 and 3 understand."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingest.influx.endpoint import database, open_client
from ingest.influx.lines import in_tag
from ingest.influx.schema import READING
from ingest.series.points import Found, asked, combined, points, put_together
from ingest.series.timeseries import Combined, Figure, Point, Sample, SeriesKey, among, grid
from ingest.settings import Influx
from linli.errors import StoreError

if TYPE_CHECKING:
    import httpx2

CHUNK = 100
"""Series that one question names."""
LONG = 4000
"""Characters of a question from which on it does not fit into an address."""
_NAMES = ("site", "node", "device", "group", "name", "unit")
_GROUPS = ", ".join(f'"{name}"' for name in _NAMES)
_FROM = f'FROM "{READING.name}"'
Answer = list[tuple[dict[str, str], list[list[Any]]]]
"""Series of an answer: tags, and rows of time in ms and values."""


class InfluxTimeseries:
    """`Readable` over `/query`. Of two values at one time InfluxDB keeps the last."""

    def __init__(self, settings: Influx, token: str | None) -> None:
        self._settings = settings
        self._token = token
        self._client: httpx2.Client | None = None

    def keys(self, nodes: Collection[str] = (), names: Collection[str] = ()) -> list[SeriesKey]:
        """Return the series of these nodes with these names. Raises StoreError."""
        wanted, found = sorted(set(nodes)), set[SeriesKey]()
        called = _any("name", sorted(set(names)) if len(names) <= CHUNK else ())
        for first in range(0, len(wanted) or 1, CHUNK):
            some = _any("node", wanted[first : first + CHUNK])
            asked_for = " AND ".join(one for one in (some, called) if one)
            where = f" WHERE {asked_for}" if asked_for else ""
            answer = self.ask(f'SELECT last("value") {_FROM}{where} GROUP BY {_GROUPS}')
            found |= {SeriesKey(**tags) for tags, _ in answer}
        return among(found, nodes, names)

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end), all in ms. Raises StoreError."""
        steps = grid(start, end, step)
        found = dict(self._found([key], steps))
        return points(steps, next(iter(found.values()), {}))

    def each(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int
    ) -> dict[SeriesKey, list[Point]]:
        """Return a point per `step` of [start, end) of each series. Raises StoreError."""
        steps = grid(start, end, step)
        found = dict(self._found(sorted(set(keys), key=str), steps))
        return {key: points(steps, found.get(key, {})) for key in keys}

    def combine(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int, of: Figure = "mean"
    ) -> list[Combined]:
        """Return a point per `step` of [start, end) over several series. Raises StoreError."""
        steps = grid(start, end, step)
        found = self._found(sorted(set(keys), key=str), asked(steps, of))
        return combined(steps, put_together((one for _, one in found), steps, of))

    def latest(self, keys: Sequence[SeriesKey], start: int, end: int) -> list[Sample]:
        """Return the newest good reading in [start, end) of each series. Raises StoreError."""
        found: list[Sample] = []
        for named in _chunks(sorted(set(keys), key=str)):
            answer = self.ask(
                f'SELECT last("value") {_FROM} WHERE ({named}) AND "quality" = \'good\' '
                f"AND {_between(start, end)} GROUP BY {_GROUPS}"
            )
            for tags, ((time, value, *_), *_) in answer:
                found.append(Sample(key=SeriesKey(**tags), time=time, value=float(value)))
        return sorted(found, key=lambda one: str(one.key))

    def samples(self, key: SeriesKey, start: int, end: int, limit: int) -> list[Sample]:
        """Return single readings of [start, end), oldest first. Raises StoreError."""
        answer = self.ask(
            f'SELECT "value", "quality" {_FROM} WHERE {_is(key)} AND {_between(start, end)} '
            f"ORDER BY time ASC LIMIT {int(limit)}"
        )
        return [
            Sample(
                key=key,
                time=time,
                value=float(value),
                quality=None if quality == "good" else quality,
            )
            for _, rows in answer
            for time, value, quality in rows
        ]

    def detail_since(self) -> int:
        """Return 0: what InfluxDB keeps, it keeps in full."""
        return 0

    def ask(self, question: str) -> Answer:
        """Return what InfluxDB answers to one question. Raises StoreError with its words."""
        import httpx2  # noqa: PLC0415

        params = {**database(self._settings), "epoch": "ms", "q": question}
        try:
            client = self._client = self._client or open_client(self._settings, self._token)
            if len(question) < LONG:
                answer = client.get("/query", params=params)
            else:
                answer = client.post("/query", data=params)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise StoreError(str(error) or type(error).__name__, where="InfluxDB") from None
        return _read(answer.status_code, answer.content)

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _found(
        self, keys: Sequence[SeriesKey], steps: range
    ) -> Iterator[tuple[SeriesKey, Mapping[int, Found]]]:
        if not steps:
            return
        end = steps.start + len(steps) * steps.step
        for named in _chunks(keys):
            answer = self.ask(
                'SELECT mean("value"), min("value"), max("value"), count("value") '
                f"{_FROM} WHERE ({named}) AND \"quality\" = 'good' "
                f"AND {_between(steps.start, end)} "
                f"GROUP BY time({steps.step}ms), {_GROUPS} fill(none)"
            )
            for tags, rows in answer:
                yield SeriesKey(**tags), {time: _figures(row) for time, *row in rows}


def _chunks(keys: Sequence[SeriesKey]) -> Iterator[str]:
    for first in range(0, len(keys), CHUNK):
        yield " OR ".join(f"({_is(key)})" for key in keys[first : first + CHUNK])


def _figures(row: list[Any]) -> Found:
    mean, low, high, count = row
    return float(mean), float(low), float(high), int(count)


def _is(key: SeriesKey) -> str:
    return " AND ".join(f'"{name}" = {in_literal(getattr(key, name))}' for name in _NAMES)


def _between(start: int, end: int) -> str:
    return f"time >= {int(start)}ms AND time < {int(end)}ms"


def in_literal(text: str) -> str:
    """Return a tag's value as a text of InfluxQL."""
    return "'" + in_tag(text).replace("'", "\\'") + "'"


def _any(tag: str, values: Sequence[str]) -> str:
    named = " OR ".join(f'"{tag}" = {in_literal(one)}' for one in values)
    return f"({named})" if named else ""


def _read(status: int, body: bytes) -> Answer:
    try:
        said = json.loads(body)
        results = said["results"] if status == 200 else []
        wrong = said.get("error") or said.get("message")
        wrong = wrong or next((one["error"] for one in results if "error" in one), None)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError("answers what is no answer", where=f"InfluxDB {status}") from None
    if status != 200 or wrong:
        raise StoreError(str(wrong or "no reason given"), where=f"InfluxDB answers {status}")
    return [
        (one.get("tags", {}), one.get("values", []))
        for result in results
        for one in result.get("series", [])
    ]
