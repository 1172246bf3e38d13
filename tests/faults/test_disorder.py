"""Messages three times, backwards and shuffled; receipts lost, repeated and late."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from estate import until
from play import made, replayed, single
from sender import Sender, fact_of, story
from stage import Stage, running_stage
from verdict import Row, compare

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]

Order = Callable[[list[bytes], random.Random], list[bytes]]
EPISODES = 40
SHUFFLED = "shuffled, each twice"
ORDERS: dict[str, Order] = {
    "each three times": lambda all_, dice: [one for one in all_ for _ in range(3)],
    "all of it three times": lambda all_, dice: all_ * 3,
    "backwards, ends before begins": lambda all_, dice: all_[::-1],
    SHUFFLED: lambda all_, dice: dice.sample(all_ * 2, len(all_) * 2),
}


def told(stage: Stage, sender: Sender, number: int, name: str, seed: int) -> Row:
    """Tell a story of its own stream in one of the orders; compare when all of it was answered."""
    facts = story(EPISODES, f"0000000{number}", datetime.now(UTC) - timedelta(seconds=30))
    truth = [fact_of(one) for one in facts]
    before = stage.counted("duplicates")
    sent = ORDERS[name](facts, random.Random(seed))
    sender.send(sent)
    complete = "SELECT 1 FROM stream WHERE stream = ? AND upto = ? AND ranges = '[]'"
    sender.wait(lambda: stage.ask("journal", complete, f"0000000{number}", len(facts)) == 1)
    sender.wait(lambda: stage.counted("duplicates") - before >= len(sent) - len(facts))
    verdict = compare(truth, stage.kept(), stage.refused())
    assert verdict.changed == ()
    return Row(
        fault=f"messages {name}",
        requirement="R9",
        seed=seed,
        produced=verdict.produced,
        stored=verdict.stored,
        lost=len(verdict.missing),
        doubled=len(verdict.doubled),
        repeated=stage.counted("duplicates") - before,
    )


def test_order_and_repetition_change_nothing(tmp_path: Path, record_property) -> None:
    with running_stage(tmp_path / "stage") as stage:
        sender = Sender(stage)
        plan = [(name, 1) for name in ORDERS] + [(SHUFFLED, 2), (SHUFFLED, 3)]
        rows = [told(stage, sender, number, *one) for number, one in enumerate(plan)]
        sender.link.close()
        until(lambda: not any(stage.get("/api/v1/stats")["behind"].values()))
        incidents = stage.get("/api/v1/incidents", limit=100)["items"]
        assert incidents
        assert not any(one["condition_active"] for one in incidents), "an end was forgotten"
        assert stage.stop_ingest() == 0
        assert made(stage.folder / "ingest") == made(replayed(stage))
    for row in rows:
        record_property("fault", row.as_dict())
        assert (row.lost, row.doubled, row.stored) == (0, 0, EPISODES * 3), row


@pytest.mark.full
@pytest.mark.timeout(400)  # a lost receipt costs 10 s, the next of the same row 20 s
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_receipts_lost_repeated_and_late_change_nothing(
    tmp_path: Path, record_property, seed: int
) -> None:
    with running_stage(tmp_path / "stage") as stage:
        stage.play_load("--seed", str(seed), "--telemetry", "10", "--jumble", str(seed))
        stage.recovered(time.time())
        stage.child("receiver").kill()
        fallen = time.time()
        stored_after, worked_after = stage.recovered(fallen)
        summary = stage.finish_load(240)
        row = single(
            stage,
            "receipts lost, repeated, late; receiver killed",
            "R9",
            seed,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
    assert summary["resent"] + row.repeated > 0, "no receipt was lost"
