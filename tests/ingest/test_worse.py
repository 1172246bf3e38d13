"""What gets worse: planted worsening is found, noise and the rhythm of a week give no warning."""

from __future__ import annotations

import math
import random

import pytest

from ingest.trends.forecast import forecast, score
from ingest.trends.past import DAY, WEEK, Past
from ingest.trends.worse import CHANCE, HISTORY, at_least, judge

WEEKS = 8


def draw(mean: float, chance: random.Random) -> int:
    """Return a number of a Poisson distribution, by Knuth's way."""
    limit, product, number = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def rhythm(hour: int, mean: float) -> float:
    """Return the mean of one hour: evenings are busy, nights quiet, weekends half as busy again."""
    of_day = (0.1, 0.6, 1.1, 2.2)[hour % DAY // 6]
    return mean * of_day * (1.5 if hour % WEEK // DAY >= 5 else 1.0)


def past(
    seed: int, *, mean: float = 0.4, times: float = 1.0, hours: int = 0, weeks: int = WEEKS
) -> Past:
    """Return weeks of counts, `times` as many in the last `hours`."""
    chance, length = random.Random(seed), weeks * WEEK
    return Past(
        [
            draw(rhythm(hour, mean) * (times if hour >= length - hours else 1.0), chance)
            for hour in range(length)
        ]
    )


def warned(count: int, **how: float) -> float:
    """Return the share of `count` seeds with a warning, each judged as one of ten."""
    found = [judge(past(seed, **how), 10).worse is not None for seed in range(count)]  # type: ignore[arg-type]
    return sum(found) / count


@pytest.mark.parametrize("mean", [0.03, 0.4])
def test_noise_with_a_rhythm_gives_no_warning(mean: float) -> None:
    # A look at ten of them together may be wrong once in a hundred, at one once in a thousand.
    assert CHANCE == 0.01
    assert warned(150, mean=mean) <= 1 / 150


@pytest.mark.parametrize(("times", "hours"), [(3.0, DAY), (1.8, WEEK)])
def test_planted_worsening_is_found(times: float, hours: int) -> None:
    assert warned(40, times=times, hours=hours) >= 0.9
    found = judge(past(1, times=times, hours=hours), 10)
    assert found.worse is not None
    assert found.skill is not None
    assert found.worse.count > 1.5 * found.worse.usual
    assert found.worse.next_day > found.worse.usual_day, "the forecast knows of it too"
    assert found.skill.skill > 0.2, "four weeks tell more than one"


def test_less_than_usual_is_no_warning() -> None:
    assert warned(20, times=0.2, hours=WEEK) == 0


def test_days_that_differ_much_anyway_need_more_for_a_warning() -> None:
    chance = random.Random(7)
    calm = [draw(0.5, chance) for _ in range(WEEKS * WEEK)]
    bursts = list(calm)
    for day in range(0, WEEKS * 7 - 1, 5):
        for hour in range(day * DAY, day * DAY + 6):
            bursts[hour] += 4
    for counts in (calm, bursts):
        counts[-6:] = [one + 4 for one in counts[-6:]]
    assert judge(Past(calm), 10).worse is not None
    assert judge(Past(bursts), 10).worse is None


def test_says_why_nothing_can_be_said() -> None:
    assert judge(past(1, weeks=HISTORY // WEEK), 1).silent == "too-little-history"
    assert judge(Past([0] * (WEEKS * WEEK)), 1).silent == "too-few"
    # Other hours are busy every four weeks, so that last week tells more than the mean of four.
    odd = [9 * (hour % DAY // 6 == hour // WEEK // 4 % 4) for hour in range(10 * WEEK)]
    found = judge(Past(odd), 1)
    assert (found.worse, found.silent) == (None, "no-skill")


def test_forecasts_use_only_what_was_known_before() -> None:
    whole = past(3)
    start = len(whole) - 5 * DAY
    changed = Past([*(whole.at(hour) for hour in range(start)), *[99] * (5 * DAY)])
    assert forecast(whole, start) == forecast(changed, start)
    assert forecast(whole, WEEK) is None
    assert score(Past([1] * WEEK), WEEK) is None


def test_the_tail_is_that_of_the_distribution() -> None:
    assert at_least(0, 3.0, 1.25) == 1.0
    # With hardly any more variance it is a Poisson: 1 - e^-2 (1 + 2 + 2).
    assert at_least(3, 2.0, 1 + 1e-6) == pytest.approx(1 - math.exp(-2) * 5, abs=1e-5)
    # Mean 2 and variance 4 is a geometric sum: size 2, chance 1/2 each.
    assert at_least(2, 2.0, 2.0) == pytest.approx(0.5)
    assert at_least(5000, 2.0, 2.0) == pytest.approx(0.0, abs=1e-9)
