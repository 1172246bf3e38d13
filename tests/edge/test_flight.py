"""What is out, what is overdue and what has room, in a table of moments."""

from __future__ import annotations

from edge.flight import MAX_ASIDE, WINDOW, Flight
from linli.events import Receipt

STREAM = "00000000"


def _flying(count: int) -> Flight:
    flight = Flight()
    for sequence in range(1, count + 1):
        flight.add(sequence, token=100 + sequence, now=0.0)
    return flight


def test_window_is_bounded_and_receipts_make_room() -> None:
    flight = _flying(WINDOW)
    assert (flight.room(), flight.after) == (0, WINDOW)
    flight.confirm(Receipt(stream=STREAM, upto=3, ranges=((5, 6), (WINDOW, WINDOW + 9))))
    assert flight.room() == 6
    flight.confirm(Receipt(stream=STREAM, upto=3, ranges=((5, 6),)))
    assert flight.room() == 6


def test_waits_double_up_to_a_minute() -> None:
    flight = _flying(1)
    now, token, moments = 0.0, 101, []
    for _ in range(200):
        now += 1.0
        for sequence in flight.due(now):
            token += 1
            flight.again(sequence, token, now)
            moments.append(now)
    assert moments == [10.0, 30.0, 70.0, 130.0, 190.0]


def test_due_names_only_what_is_overdue() -> None:
    flight = _flying(2)
    flight.add(3, 103, now=5.0)
    assert flight.due(9.9) == []
    assert flight.due(10.0) == [1, 2]
    flight.forget(1)
    flight.again(2, 202, now=10.0)
    assert flight.due(14.9) == []
    assert flight.due(15.0) == [3]


def test_refused_rows_step_aside_but_are_tried_again() -> None:
    flight = _flying(WINDOW)
    assert flight.answered(101, "not authorised") == 1
    assert flight.answered(102, None) == 2
    assert flight.answered(999, None) is None
    assert flight.room() == 1
    assert 1 in flight.due(10.0)
    flight.again(1, 500, now=10.0)
    assert flight.answered(500, "not authorised") == 1
    assert flight.room() == 1
    flight.confirm(Receipt(stream=STREAM, upto=1))
    assert flight.room() == 1


def test_refused_rows_are_bounded() -> None:
    flight = Flight()
    for sequence in range(1, MAX_ASIDE + 11):
        flight.add(sequence, sequence, now=0.0)
        flight.answered(sequence, "not authorised")
    assert flight.room() == WINDOW - 10


def test_reset_starts_from_the_lowest_row() -> None:
    flight = _flying(5)
    flight.answered(101, "not authorised")
    flight.reset()
    assert (flight.after, flight.room(), flight.due(1000.0)) == (0, WINDOW, [])
    assert flight.answered(102, "late answer") is None
