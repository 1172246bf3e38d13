"""Every code of `linli doctor` comes when its fault is brought about, and says what to do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from doctor_codes import every_code
from doctor_faults import FAULTS
from patient import Patient, patient_in

from linli.cli.main import command

COMMAND = re.compile(r"`linli ([^`]+)`")


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    with patient_in(tmp_path) as one:
        yield one


def test_a_new_code_needs_its_fault() -> None:
    assert every_code() == set(FAULTS)


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_the_fault_brings_the_code(patient: Patient, code: str) -> None:
    """That it is not there before is what `test_doctor.test_all_is_well` says of this patient."""
    FAULTS[code](patient)
    found = patient.wrong()
    assert code in found, sorted(found)
    one = found[code]
    assert one.what
    assert one.means or code == "chain-starting"
    assert one.do or code == "chain-starting", "it mends itself within a minute"
    for words in COMMAND.findall(one.do or ""):
        assert_there_is(words)


def assert_there_is(words: str) -> None:
    """A hint that names a command which is not there helps nobody."""
    here: click.Command = command
    context = click.Context(here, info_name="linli")
    rest = shlex.split(words)
    while isinstance(here, click.Group) and rest:
        found = here.get_command(context, rest.pop(0))
        assert found is not None, f"there is no `linli {words}`"
        here, context = found, click.Context(found, parent=context)
    assert not isinstance(here, click.Group), f"`linli {words}` is only a group"
    options = {name for one in here.params for name in one.opts}
    assert {one for one in rest if one.startswith("-")} <= options, words


@pytest.mark.parametrize("words", ["ingest nodes join", "ingest", "doctor --no-such"])
def test_a_command_that_is_not_there_is_noticed(words: str) -> None:
    with pytest.raises(AssertionError):
        assert_there_is(words)
