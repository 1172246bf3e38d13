from __future__ import annotations

import heapq
import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.agent.pool import DetectorPool, Seat
from edge.agent.turns import Turns
from edge.catalog.load import load_model
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.detect.letterbox import Image
from linli.clock import ManualClock, SystemClock
from linli.errors import InputError

PICTURE = np.zeros((8, 8, 3), np.uint8)
SECONDS = 60.0


class Held(FakeDetector):
    """Waits in each look until it is let go, and says when it is in one."""

    def __init__(self) -> None:
        super().__init__(("person",))
        self.within, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def detect(self, image: Image) -> Detections:
        self.within.release()
        assert self.go.acquire(timeout=SECONDS)
        return super().detect(image)


class Broken(FakeDetector):
    def detect(self, image: Image) -> Detections:
        raise InputError("the model failed on a picture")


def pool_of(*detectors: FakeDetector) -> tuple[DetectorPool, ManualClock]:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    return DetectorPool(detectors, clock), clock


def test_the_turn_goes_to_the_earliest_deadline_then_to_who_asked_first() -> None:
    turns: Turns[str, int] = Turns([7])
    assert turns.ask("a", 1.0) == 7
    assert [turns.ask(who, due) for who, due in (("b", 3.0), ("c", 2.0), ("d", 2.0))] == [None] * 3
    assert [turns.give_back(7) for _ in range(4)] == ["c", "d", "b", None]
    assert turns.ask("e", 9.0) == 7


def simulate(
    periods: list[float], workers: int, service: float, until: float
) -> tuple[list[float], list[int]]:
    """Play cameras that ask again as soon as they were served; return longest waits and turns."""
    turns: Turns[int, int] = Turns(range(workers))
    ends: list[tuple[float, int, int]] = []
    asked, longest, had = [0.0] * len(periods), [0.0] * len(periods), [0] * len(periods)

    def begin(who: int, thing: int, now: float) -> None:
        longest[who] = max(longest[who], now - asked[who])
        had[who] += 1
        heapq.heappush(ends, (now + service, thing, who))

    def ask(who: int, now: float) -> None:
        asked[who] = now
        thing = turns.ask(who, now + periods[who])
        if thing is not None:
            begin(who, thing, now)

    for who in range(len(periods)):
        ask(who, 0.0)
    while ends and ends[0][0] < until:
        now, thing, who = heapq.heappop(ends)
        successor = turns.give_back(thing)
        if successor is not None:
            begin(successor, thing, now)
        ask(who, now)
        assert len(turns) <= len(periods)
    return longest, had


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0.03, 5.0), min_size=1, max_size=24),
    st.integers(1, 4),
    st.floats(0.01, 0.3),
)
def test_nobody_waits_longer_than_promised_at_any_load(
    periods: list[float], workers: int, service: float
) -> None:
    longest, _ = simulate(periods, workers, service, until=8.0)
    others = (len(periods) - 1) / workers
    for period, waited in zip(periods, longest, strict=True):
        assert waited <= period + service * (1 + others) + 1e-6


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 24), st.integers(1, 4), st.floats(0.01, 0.3))
def test_equal_cameras_get_equal_shares(cameras: int, workers: int, service: float) -> None:
    _, had = simulate([0.2] * cameras, workers, service, until=8.0)
    assert max(had) - min(had) <= 1


def test_a_seat_is_a_detector_and_counts_its_turns() -> None:
    seen = Detections(
        np.array([[0, 0, 1, 1]], np.float32),
        np.ones(1, np.float32),
        np.zeros(1, np.int64),
        ("cat",),
    )
    pool, _ = pool_of(FakeDetector(("cat",), [seen], {"cat": 0.7}))
    seat = pool.seat(0.2)
    assert (seat.names, seat.model.name, seat.thresholds.tolist()) == (
        ("cat",),
        "fake",
        pytest.approx([0.7]),
    )
    assert len(seat.detect(PICTURE)) == 1
    assert len(seat.detect(PICTURE)) == 0
    assert (seat.counts.turns, seat.counts.late, seat.counts.waited) == (2, 0, 0.0)


def test_who_waits_is_served_by_deadline_and_late_turns_are_counted() -> None:
    detector = Held()
    pool, clock = pool_of(detector)
    seats = {"slow": pool.seat(5.0), "fast": pool.seat(0.2)}
    order: list[str] = []
    threads: list[threading.Thread] = []

    def look(name: str, seat: Seat) -> None:
        seat.ready()
        order.append(name)
        seat.detect(PICTURE)

    first = threading.Thread(target=look, args=("first", pool.seat(1.0)))
    first.start()
    assert detector.within.acquire(timeout=SECONDS)
    for waiting, (name, seat) in enumerate(seats.items(), start=1):
        threads.append(threading.Thread(target=look, args=(name, seat)))
        threads[-1].start()
        await_waiting(pool, waiting)
    clock.advance(1.0)
    for _ in range(2):
        detector.go.release()
        assert detector.within.acquire(timeout=SECONDS)
    detector.go.release()
    for thread in (first, *threads):
        thread.join(SECONDS)
    assert order == ["first", "fast", "slow"]
    assert (seats["fast"].counts.late, seats["slow"].counts.late) == (1, 0)
    assert seats["fast"].counts.longest == seats["slow"].counts.waited == 1.0


def await_waiting(pool: DetectorPool, count: int) -> None:
    for _ in range(int(SECONDS / 0.001)):
        if pool.waiting == count:
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"{pool.waiting} wait, not {count}")


def test_a_turn_that_fails_or_is_not_used_goes_on_to_the_next() -> None:
    pool, _ = pool_of(Broken(("person",)))
    one, other = pool.seat(0.2), pool.seat(0.2)
    with pytest.raises(InputError):
        one.detect(PICTURE)
    other.ready()
    other.leave()
    other.leave()
    with pytest.raises(InputError):
        one.detect(PICTURE)
    assert (one.counts.turns, other.counts.turns, pool.waiting) == (2, 1, 0)


def test_who_falls_within_its_turn_keeps_nobody_waiting() -> None:
    pool, _ = pool_of(FakeDetector(("person",)))

    def fall() -> None:
        with pool.seat(0.2) as seat:
            seat.ready()
            raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        fall()
    assert len(pool.seat(0.2).detect(PICTURE)) == 0


def test_detectors_that_share_a_session_see_the_same_at_once() -> None:
    first = load_model("builtin")
    pool = DetectorPool([first, first.another()], SystemClock())
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (120, 200, 3), np.uint8)
    alone = first.detect(picture)
    found: list[Detections] = []
    threads = [
        threading.Thread(target=lambda: found.append(pool.seat(0.2).detect(picture)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(found) == 6
    assert all(np.array_equal(one.boxes, alone.boxes) for one in found)
