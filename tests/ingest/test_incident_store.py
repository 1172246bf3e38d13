"""What is kept of incidents is what their rows make, whoever writes, however often it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import NOON, OUTAGE, SAFE, Ledger, at, event

import ingest.store.engine as engine_module
from ingest.incidents import flow
from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Incident
from ingest.incidents.policy import Policy
from ingest.incidents.silence import Matchers
from ingest.store.engine import open_writer, writing
from ingest.store.state import metadata
from linli.ids import derived_id

WRITERS = 64
WIRING = {"n1/cam-1": ("n1/switch",), "n1/cam-2": ("n1/switch",)}
SEVERITIES = ["critical", "high", "medium", "low"]
KINDS = {"zone-dwell": Policy(), "ebike-in-elevator": SAFE, "device-silent": OUTAGE}


@st.composite
def lives(draw) -> list[tuple[float, str, tuple]]:
    """Facts, people's steps and time passing, in the order in which they come."""
    now, told = 0.0, []
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.sampled_from([0, 1, 5, 40, 130, 700, 2000]))
        match draw(st.sampled_from(["fact"] * 6 + ["staff"] * 2 + ["tick", "silence"])):
            case "fact":
                kind = draw(st.sampled_from(sorted(KINDS)))
                device = draw(st.sampled_from(["self", "switch", "cam-1", "cam-2"]))
                delay = draw(st.sampled_from([0, 0, 0, 1, 400]))
                told.append((now, "fact", (kind, device, delay, *_of_fact(draw))))
            case "staff":
                wishes = ["acknowledge", "start", "resolve", "label", "shelve", "unshelve"]
                wish = draw(st.sampled_from(wishes))
                told.append((now, "staff", (wish, draw(st.integers(0, 5)))))
            case other:
                told.append((now, other, ()))
    return told


def _of_fact(draw) -> tuple[str, str, str]:
    phase = draw(st.sampled_from(["begin", "update", "end"]))
    return phase, draw(st.sampled_from(["e1", "e2", "e3"])), draw(st.sampled_from(SEVERITIES))


def live(ledger: Ledger, told: list[tuple[float, str, tuple]], *, ticks: bool) -> None:
    """Tell a ledger all of it; without `ticks` time passes only because something comes."""
    for number, (now, what, of) in enumerate(told):
        if what == "fact":
            kind, device, delay, phase, episode, severity = of
            key = {"event": kind, "device": device, "node": "n1", "zone": None}
            time = max(now - delay, 0)
            fact = event(phase, f"{kind}-{device}-{episode}", time, now - time, severity, **key)
            ledger.tell(_named(fact, number, KINDS[kind]))
        elif what == "tick" and ticks:
            ledger.pass_until(now)
        elif what == "silence":
            more = {"matchers": Matchers(events=("zone-dwell",)), "id": f"s{number}"}
            ledger.silence(now, now + 300, **more)
        elif what == "staff":
            ledger.pass_until(now)
            wish, which = of
            found = ledger.all
            if which < len(found):
                more = {"label": "true-alarm"} if wish == "label" else {}
                more |= {"until": at(now + 600)} if wish == "shelve" else {}
                ledger.staff(found[which], wish, now, **more)


def _named(fact: EventFact, number: int, policy: Policy) -> EventFact:
    parts = {name: getattr(fact, name) for name in fact.__struct_fields__}
    return EventFact(**{**parts, "event_id": f"m{number}", "policy": policy})


@settings(max_examples=25, deadline=None)
@given(lives())
def test_whatever_happens_the_row_is_what_its_transitions_make(told) -> None:
    ledger = Ledger(wiring=lambda connection: WIRING)
    live(ledger, told, ticks=True)
    ledger.pass_until(told[-1][0] + 100_000)
    for one in ledger.all:  # which compares each with the fold of its rows
        assert one.parts == sum(other.part_of == one.id for other in ledger.all)
        assert not (one.owed and one.state == "open" and one.aside is None and _asks(one))
    ledger.close()


def _asks(one: Incident) -> bool:
    return one.condition_active or (one.policy.safety and not one.late)


@settings(max_examples=25, deadline=None)
@given(lives(), st.data())
def test_replaying_makes_the_same_rows_however_often_time_was_looked_at(told, data) -> None:
    """Ids, numbers, times, who was called and why: all of it."""
    first, again = (Ledger(wiring=lambda connection: WIRING) for _ in range(2))
    live(first, told, ticks=True)
    live(again, told, ticks=False)
    for ledger in (first, again):
        ledger.pass_until(told[-1][0] + 5000)
    assert first.all == again.all
    assert _by_incident(first) == _by_incident(again)
    first.close()
    again.close()


def _by_incident(ledger: Ledger) -> dict[str, list]:
    found: dict[str, list] = {}
    for row in ledger.rows():
        found.setdefault(row.incident, []).append((row.step, row.at, row.actor, row.page, row.why))
    return found


ORDERLESS = ["key", "state", "condition_active", "severity", "count", "first", "last", "cleared"]
ORDERLESS += ["late", "confidence", "dwell"]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_in_any_order_and_any_number_of_times_it_is_the_same_incident(data) -> None:
    """As long as all of it is heard of before something was resolved: by time, or by a person."""
    facts = []
    for number in range(data.draw(st.integers(1, 5))):
        begin = data.draw(st.integers(0, 100))
        end = begin + data.draw(st.integers(1, 60))
        device = data.draw(st.sampled_from(["self", "switch", "cam-1", "cam-2"]))
        kind = data.draw(st.sampled_from(["ebike-in-elevator", "device-silent"]))
        key = {"event": kind, "device": device, "node": "n1", "zone": None}
        goes_on = data.draw(st.booleans())
        for phase, time in (("begin", begin), ("update", begin + 1), ("end", end)):
            if phase == "end" and goes_on:
                continue
            severity = data.draw(st.sampled_from(SEVERITIES))
            fact = event(phase, f"e{number}", time, 200 - time, severity, since=begin, **key)
            facts.append(_named(fact, len(facts), KINDS[kind]))
    again = data.draw(st.lists(st.sampled_from(facts), max_size=6))
    mixed = data.draw(st.permutations(facts + again))
    straight, shuffled = (Ledger(wiring=lambda connection: WIRING) for _ in range(2))
    straight.tell(*facts)
    shuffled.tell(*mixed)
    for ledger in (straight, shuffled):
        ledger.pass_until(400)  # what was part of something that ended stands by itself again
    assert _essence(straight) == _essence(shuffled)
    straight.close()
    shuffled.close()


def _essence(ledger: Ledger) -> dict[str, tuple]:
    found = {one.id: one for one in ledger.all}
    heads = {None: None, **{name: str(one.key) for name, one in found.items()}}
    return {
        str(one.key): (*(getattr(one, name) for name in ORDERLESS), heads[_cause(one)])
        for one in found.values()
    }


def _cause(one: Incident) -> str | None:
    """Of what has ended, whether its cause was heard of while it went on depends on the order."""
    return one.part_of if one.condition_active else None


@dataclass
class Backend:
    """Somewhere to write; each writer has an engine of its own."""

    name: str
    engine: Callable[[], sa.Engine]


@pytest.fixture(scope="module")
def server() -> Iterator[sa.URL]:
    reason = postgres.missing()
    if reason is not None:
        pytest.skip(reason)
    with postgres.running(connections=WRITERS + 10) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request, tmp_path: Path, monkeypatch) -> Backend:
    if request.param == "sqlite":
        # Writers poll for the lock; on a busy machine the last of so many waits long.
        monkeypatch.setattr(engine_module, "BUSY_SECONDS", 100.0)
        made = Backend("sqlite", partial(open_writer, tmp_path / "state.db"))
    else:
        url = request.getfixturevalue("server")
        made = Backend("postgresql", partial(sa.create_engine, url, poolclass=sa.NullPool))
    engine = made.engine()
    metadata.drop_all(engine)
    metadata.create_all(engine)
    engine.dispose()
    return made


def write_at_once(backend: Backend, facts: list[EventFact]) -> list[BaseException]:
    """Let one writer for each fact begin at the same moment."""
    barrier, failed = threading.Barrier(len(facts)), []

    def write(fact: EventFact) -> None:
        engine = backend.engine()
        try:
            barrier.wait()
            with writing(engine) as connection:
                flow.take(connection, fact)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=write, args=(fact,)) for fact in facts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def test_64_writers_of_one_key_make_one_incident(backend: Backend) -> None:
    facts = [event(episode=f"e{number}", time=number / 10) for number in range(WRITERS)]
    assert write_at_once(backend, facts) == []
    ledger = Ledger(backend.engine())
    one = ledger.only
    assert (one.count, one.number, one.state) == (WRITERS, 1, "open")
    assert [row.step for row in ledger.rows()].count("opened") == 1
    assert ledger.called() == ["new"]
    ledger.close()


def test_64_writers_of_one_message_count_it_once(backend: Backend) -> None:
    assert write_at_once(backend, [event()] * WRITERS) == []
    ledger = Ledger(backend.engine())
    assert (ledger.only.count, len(ledger.rows())) == (1, 1)
    ledger.close()


def test_64_writers_of_as_many_keys_get_a_number_each(backend: Backend) -> None:
    facts = [event(device=f"cam-{number}", policy=SAFE) for number in range(WRITERS)]
    assert write_at_once(backend, facts) == []
    ledger = Ledger(backend.engine())
    assert [one.number for one in ledger.all] == list(range(1, WRITERS + 1))
    ledger.close()


def test_64_writers_open_one_again_once(backend: Backend) -> None:
    ledger = Ledger(backend.engine())
    one, _ = ledger.tell(event())
    ledger.staff(one, "resolve", 5)
    facts = [event(episode=f"x{number}", time=60 + number / 10) for number in range(WRITERS)]
    assert write_at_once(backend, facts) == []
    assert (ledger.only.count, ledger.only.state) == (WRITERS + 1, "open")
    assert [row.step for row in ledger.rows()].count("reopened") == 1
    ledger.close()


def test_a_life_on_postgresql_is_that_on_sqlite(server: sa.URL) -> None:
    engine = sa.create_engine(server)
    metadata.drop_all(engine)
    there, here = Ledger(engine), Ledger()
    for ledger in (there, here):
        for number in range(30):
            time = number * 3.0
            ledger.tell(event(device=f"cam-{number % 15}", episode=f"e{number}", time=time))
        ledger.silence(90, 200)
        ledger.tell(event("end", "e3", 95, device="cam-3"), event(episode="x", time=96))
        ledger.staff(ledger.all[0], "acknowledge", 100)
        ledger.pass_until(100_000)
    assert there.all == here.all
    assert there.rows() == here.rows()
    there.close()
    here.close()


def test_a_second_open_one_of_a_key_is_refused_by_the_table_itself(backend: Backend) -> None:
    ledger = Ledger(backend.engine())
    ledger.tell(event())
    with ledger.connection() as connection:
        row = connection.execute(flow.book.incident.select()).mappings().one()
    with pytest.raises(sa.exc.IntegrityError), ledger.connection() as connection:
        connection.execute(flow.book.incident.insert(), {**row, "id": "other", "number": 2})
    ledger.close()


def test_an_id_says_what_opened_it(tmp_path: Path) -> None:
    ledger = Ledger()
    one, _ = ledger.tell(event())
    assert one.id == derived_id(NOON, str(one.key), "e1-begin-0.0")
    assert one.id[14] == "7"
    ledger.close()
