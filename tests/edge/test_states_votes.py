"""When a state is published: three equal looks, and what is no vote."""

from __future__ import annotations

import pytest

from edge.states.judge import Answer
from edge.states.votes import Published, Rules, Standing, vote

RULES = Rules(votes=3, within=60, dwell=0)


def said(state: str, confidence: float = 0.9) -> Answer:
    return Answer(state, state, confidence, 0.1)


def unknown(why: str = "strange", nearest: str | None = "full") -> Answer:
    return Answer(None, nearest, 0.5, 2.0, why)  # type: ignore[arg-type]


def play(
    answers: list[Answer], rules: Rules = RULES, every: float = 10
) -> list[tuple[float, str, float]]:
    """Return (when, state, since) of each publication."""
    standing, published = Standing(), []
    for number, answer in enumerate(answers):
        before = standing.published
        standing = vote(standing, answer, number * every, rules)
        if standing.published != before:
            assert standing.published is not None
            published.append((number * every, standing.published.state, standing.published.since))
    return published


EMPTY, FULL, WHO = said("empty"), said("full"), unknown()


@pytest.mark.parametrize(
    ("answers", "published"),
    [
        pytest.param([EMPTY] * 2, [], id="two are not enough"),
        pytest.param([EMPTY] * 9, [(20, "empty", 0)], id="the first state is published, once"),
        pytest.param(
            [EMPTY] * 3 + [FULL] * 3, [(20, "empty", 0), (50, "full", 30)], id="another state"
        ),
        pytest.param([EMPTY] * 3 + [FULL, FULL, EMPTY] * 5, [(20, "empty", 0)], id="flapping"),
        pytest.param([EMPTY, FULL] * 9, [], id="never three equal"),
        pytest.param([EMPTY, WHO, EMPTY, WHO, WHO, EMPTY], [(50, "empty", 0)], id="passers-by"),
        pytest.param([WHO] * 9, [], id="unknown is no state"),
        pytest.param([EMPTY] * 3 + [WHO] * 50, [(20, "empty", 0)], id="unknown takes nothing back"),
        pytest.param([EMPTY, EMPTY, *[WHO] * 8, EMPTY], [], id="old votes are forgotten"),
        pytest.param(
            [EMPTY, *[WHO] * 4, EMPTY, WHO, EMPTY, EMPTY],
            [(80, "empty", 50)],
            id="only the old ones are",
        ),
        pytest.param(
            [EMPTY] * 3 + [said("full", 0.75)] * 9,
            [(20, "empty", 0)],
            id="a challenger has to be sure",
        ),
        pytest.param(
            [EMPTY] * 3 + [FULL, FULL, unknown("unsure", "empty"), FULL, FULL],
            [(20, "empty", 0)],
            id="to stay, being nearest is enough",
        ),
        pytest.param(
            [EMPTY] * 3 + [FULL, FULL, unknown("strange", "empty"), FULL],
            [(20, "empty", 0), (60, "full", 30)],
            id="what is like nothing speaks for nobody",
        ),
    ],
)
def test_publications(answers: list[Answer], published: list[tuple[float, str, float]]) -> None:
    assert play(answers) == published


def test_a_published_state_stays_for_its_dwell() -> None:
    rules = Rules(votes=3, within=60, dwell=100)
    found = play([EMPTY] * 3 + [FULL] * 20, rules)
    assert found == [(20, "empty", 0), (120, "full", 60)]


def test_a_change_back_within_the_dwell_is_none() -> None:
    rules = Rules(votes=3, within=60, dwell=100)
    assert play([EMPTY] * 3 + [FULL] * 5 + [EMPTY] * 20, rules) == [(20, "empty", 0)]


def test_more_votes_can_be_asked_for() -> None:
    assert play([EMPTY] * 9, Rules(votes=5, within=60)) == [(40, "empty", 0)]


def test_confirmation_clears_the_challenger() -> None:
    standing = Standing(Published("empty", 0, 0), "full", (10.0, 20.0))
    assert vote(standing, EMPTY, 30, RULES) == Standing(Published("empty", 0, 0))
