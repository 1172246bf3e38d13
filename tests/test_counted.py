"""A number and its noun."""

from __future__ import annotations

import pytest

from linli.counted import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 pictures"), (1, "1 picture"), (2, "2 pictures"), (11, "11 pictures")],
)
def test_one_is_one(number: int, said: str) -> None:
    assert counted(number, "picture") == said


def test_not_all_end_in_s() -> None:
    assert [counted(number, "try", "tries") for number in (1, 2)] == ["1 try", "2 tries"]
