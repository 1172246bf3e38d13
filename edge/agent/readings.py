"""States and counts as the readings of the contract.

One reading for each state, 1 for the one it is in and 0 for the others (a StateSet, as OpenMetrics
calls it); `fill-level` 0..1 where the states say how full something is; a flickering lamp's
`switching-rate`; and `known`, the share of looks that showed anything: alone, when none did.
Counts are readings of their own names.
"""

from __future__ import annotations

from edge import messages
from edge.facts import CountFact, StateFact
from edge.sensors.reading import Reading as Heard
from linli.events import Reading, TelemetryData

FILL_LEVEL, SWITCHING_RATE, KNOWN = "fill-level", "switching-rate", "known"


def group_of(fact: StateFact | CountFact) -> str:
    """Return which group of readings a fact belongs to."""
    return fact.place if isinstance(fact, StateFact) else fact.group


def telemetry_of(fact: StateFact | CountFact) -> TelemetryData:
    """Return what a fact measures, in units of UCUM."""
    return _states(fact) if isinstance(fact, StateFact) else _counts(fact)


def heard_of(camera: str, fact: StateFact) -> tuple[Heard, ...]:
    """Return the same of a state as readings of a sensor that is called `camera/place`."""
    device = f"{camera}/{fact.place}"
    return tuple(
        Heard(device, one.n, one.v, one.u, one.t)
        for one in _states(fact).readings
        if one.n != KNOWN
    )


def _counts(fact: CountFact) -> TelemetryData:
    time = messages.milliseconds(fact.time)
    return TelemetryData(
        readings=tuple(
            Reading(n=name, v=float(count), u="1", t=time) for name, count in fact.counts.items()
        )
    )


def _states(fact: StateFact) -> TelemetryData:
    report = fact.report
    time = messages.milliseconds(fact.time)
    states = report.states if report.state is not None else ()
    readings = [Reading(n=state, v=float(state == report.state), u="1", t=time) for state in states]
    if report.level is not None:
        readings.append(Reading(n=FILL_LEVEL, v=report.level, u="1", t=time))
    if report.rate is not None:
        readings.append(Reading(n=SWITCHING_RATE, v=round(report.rate, 2), u="Hz", t=time))
    readings.append(Reading(n=KNOWN, v=round(report.known, 3), u="1", t=time))
    return TelemetryData(readings=tuple(readings))
