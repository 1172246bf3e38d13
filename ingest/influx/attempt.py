"""One point to an InfluxDB and back, to see whether settings are right."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ingest.influx import gauges
from ingest.influx.endpoint import endpoint_of
from ingest.influx.lines import LineEncoder
from ingest.influx.reader import InfluxTimeseries, in_literal
from ingest.influx.schema import LINLI, NOTHING
from ingest.settings import Influx
from linli.errors import StoreError

_WRITTEN = f'SELECT last("value") FROM "{LINLI.name}" WHERE "metric" = \'canary\' AND "site" = '  # noqa: S608 - a constant


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried, and what the server said when it failed."""

    name: str
    ok: bool
    words: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Writing and reading; charts need both."""

    steps: tuple[Step, ...]


def attempt(settings: Influx, site: str, now: datetime) -> Attempt:
    """Try to write and to read. Raises InputError for a secret that cannot be read."""
    return Attempt(steps=(_write(settings, site, now), _read(settings, site)))


def _write(settings: Influx, site: str, now: datetime) -> Step:
    endpoint = endpoint_of(settings)
    try:
        endpoint.write(LineEncoder().line(gauges.metric(site, "canary", NOTHING, 0, now)))
    except StoreError as error:
        return Step(name="write", ok=False, words=str(error))
    finally:
        endpoint.close()
    return Step(name="write", ok=True)


def _read(settings: Influx, site: str) -> Step:
    reader = InfluxTimeseries(settings, settings.token())
    try:
        found = reader.ask(_WRITTEN + in_literal(site))
    except StoreError as error:
        return Step(name="read", ok=False, words=str(error))
    finally:
        reader.close()
    return Step(name="read", ok=bool(found), words="" if found else "the point is not there")
