"""The long one: random kills of broker, receiver, web and the whole ingest, by seed."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from estate import running_estate, until
from test_kills import check, finish

pytestmark = [pytest.mark.full, pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

COUNT, RATE = 2000, 100.0


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_whatever_falls(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    killed: list[str] = []
    with running_estate(tmp_path) as estate:

        def whole_ingest() -> None:
            estate.kill_ingest()
            time.sleep(dice.uniform(0, 2))
            estate.start_ingest()

        def broker() -> None:
            estate.broker.kill()
            time.sleep(dice.uniform(0, 2))
            estate.broker.start()

        def both() -> None:
            estate.kill_ingest()
            broker()
            estate.start_ingest()

        faults: list[Callable[[], None]] = [
            whole_ingest,
            broker,
            both,
            lambda: estate.kill_child("receiver"),
            lambda: estate.kill_child("web"),
        ]
        load = estate.start_load(COUNT, RATE)
        while load.poll() is None and len(estate.truth()) < COUNT * 0.9:
            time.sleep(dice.uniform(0.5, 2.5))
            fault = dice.choice(faults)
            killed.append(fault.__name__)
            try:
                fault()
            except AssertionError:
                continue  # the child was being restarted just then
        finish(load, seconds=120)
        estate.wait_ready()
        until(lambda: len(estate.stored()) >= COUNT)
        check(estate, at_least=COUNT)
    sys.stderr.write(f"seed {seed}: {len(killed)} kills, 0 lost, 0 doubled\n")
