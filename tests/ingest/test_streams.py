from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.receive.streams import MAX_RANGES, Positions

numbers = st.lists(st.integers(1, 60), max_size=120)


def members(positions: Positions) -> set[int]:
    found = set(range(1, positions.upto + 1))
    for first, last in positions.ranges:
        found |= set(range(first, last + 1))
    return found


def assert_normal(positions: Positions) -> None:
    edge = positions.upto
    for first, last in positions.ranges:
        assert edge + 1 < first <= last
        edge = last


@given(numbers)
def test_any_order_and_any_duplicates_give_the_set(sequence: list[int]) -> None:
    positions, seen = Positions(), set()
    for number in sequence:
        assert positions.has(number) is (number in seen)
        assert positions.add(number) is (number not in seen)
        seen.add(number)
    assert members(positions) == seen
    assert_normal(positions)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), max_size=80))
def test_low_gives_up_exactly_what_never_came(facts: list[tuple[int, int]]) -> None:
    positions, seen, given_up = Positions(), set(), set()
    for number, low in facts:
        assert positions.add(number) is (number not in seen | given_up)
        if number not in given_up:
            seen.add(number)
        missing = {one for one in range(1, low) if one not in seen | given_up}
        assert positions.apply_low(low) == len(missing)
        given_up |= missing
    assert members(positions) == seen | given_up
    assert_normal(positions)


@given(st.permutations(range(1, 40)))
def test_a_whole_stream_in_any_order_ends_without_ranges(order: list[int]) -> None:
    positions = Positions()
    for number in order:
        positions.add(number)
    assert positions == Positions(39)


def test_too_many_ranges_forget_the_highest_and_never_claim_too_much() -> None:
    positions = Positions()
    sent = list(range(2, 2 * (MAX_RANGES + 10) + 2, 2))
    assert all(positions.add(number) for number in sent)
    assert len(positions.ranges) == MAX_RANGES
    assert members(positions) == set(sent[:MAX_RANGES])
    assert positions.add(sent[-1])
    assert members(positions) < set(sent) | {0}


def test_a_copy_is_independent() -> None:
    positions = Positions()
    positions.add(5)
    copy = positions.copy()
    copy.add(7)
    copy.apply_low(3)
    assert positions == Positions(0, [(5, 5)])
