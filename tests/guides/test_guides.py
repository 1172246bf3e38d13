"""The guides can be followed: the same commands in both languages, and each does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from guide_steps import CHINESE, GUIDES, Step, names, steps_of
from guided_world import followed
from installed_world import refused

pytestmark = pytest.mark.skipif(
    not GUIDES.is_dir(), reason="the guides are in a checkout only: run it in a clone"
)
ESTATE = ("small-estate", "security-privacy", "hardware-cost", "edge-box")
DISTRICT = ("district",)
ALL = (*ESTATE, *DISTRICT)
FEW = 6


@pytest.mark.parametrize("name", names())
def test_both_languages_say_the_same_commands(name: str) -> None:
    english, chinese = (steps_of(GUIDES / f"{name}{end}") for end in (".md", CHINESE))
    assert [one.bare for one in english] == [one.bare for one in chinese]
    assert [one.left_out is None for one in english] == [one.left_out is None for one in chinese]
    assert [one.seen for one in english] == [one.seen for one in chinese]


def test_every_guide_is_followed_and_few_commands_are_left_out() -> None:
    with_commands = {name for name in names() if steps_of(GUIDES / f"{name}.md")}
    assert with_commands == set(ALL)
    left_out = [one for name in ALL for one in steps_of(GUIDES / f"{name}.md") if one.left_out]
    assert len(left_out) <= FEW, [one.commands for one in left_out]


def test_what_is_not_seen_is_noticed() -> None:
    step = Step(1, "true", "first …\nall … well\n")
    assert step.missing("first one\n18 things, all is well\n") is None
    assert step.missing("all is well\nfirst one\n") == "all … well"


def follow(folder: Path, *guides: str) -> None:
    if why := refused(folder):
        pytest.skip(why)
    (folder / "world").mkdir()
    wanted = sum(one.left_out is None for name in guides for one in steps_of(GUIDES / f"{name}.md"))
    done = followed(folder / "world", *guides)
    for step, seen in done:
        told = f"line {step.line}:\n{step.commands}\n{seen['output'][-3000:]}"
        assert seen["code"] == 0, told
        assert step.missing(seen["output"]) is None, f"{step.missing(seen['output'])!r}; {told}"
    assert sum(step.line > 0 for step, _ in done) == wanted


@pytest.mark.broker
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("guides", [ESTATE, DISTRICT], ids=["estate", "district"])
def test_guides_can_be_followed_one_after_the_other(
    tmp_path: Path, guides: tuple[str, ...]
) -> None:
    follow(tmp_path, *guides)
