"""Every fault that can be played while a load runs: what it is called, what is done, what for.

Each function does its harm, mends what a supervisor would mend, and returns when the harm ended:
the moment of a kill where a part comes back by itself, else that of starting or mending it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import psutil
from estate import until
from stage import POINTS, Stage, locked

from ingest.store.migrate import File

Inject = Callable[[Stage, random.Random], float]


@dataclass(frozen=True, slots=True)
class Fault:
    """`requirement` is that of docs/reliability.md; the short run leaves `long` ones out.

    All must work again, with all that waited stored, `patience` seconds after it ended.
    """

    name: str
    requirement: str
    inject: Inject
    long: bool = False
    single_kill: bool = False
    patience: float = 90.0


def _pause(dice: random.Random, least: float = 0.3, most: float = 1.5) -> None:
    time.sleep(dice.uniform(least, most))


def _child_killed(stage: Stage, dice: random.Random, *, name: str) -> float:
    stage.fresh_supervisor()
    _pause(dice, 0.1, 0.5)
    stage.fallen = True
    stage.child(name).kill()
    return time.time()


def _at_failpoint(stage: Stage, dice: random.Random, *, point: str) -> float:
    stage.fresh_supervisor()
    stage.fallen = True
    before = stage.child("receiver")
    stage.failpoint(point).unlink()
    until(lambda: not before.is_running() or before.status() == psutil.STATUS_ZOMBIE)
    return time.time()


def _ingest_killed(
    stage: Stage, dice: random.Random, *, least: float = 0.3, most: float = 1.5
) -> float:
    stage.kill_ingest()
    _pause(dice, least, most)
    stage.start_ingest()
    return time.time()


def _ingest_stopped(stage: Stage, dice: random.Random) -> float:
    assert stage.stop_ingest() == 0
    _pause(dice)
    stage.start_ingest()
    return time.time()


def _broker_killed(stage: Stage, dice: random.Random) -> float:
    stage.broker.kill()
    _pause(dice)
    stage.broker.launch()
    return time.time()


def _broker_forgot(stage: Stage, dice: random.Random) -> float:
    stage.broker.kill()
    stage.broker.database.unlink(missing_ok=True)
    stage.broker.launch()
    return time.time()


def _broker_restored(stage: Stage, dice: random.Random) -> float:
    """Put an old database back: subscriptions, retained messages and a queue of long ago."""
    stage.broker.stop()
    old = stage.broker.database.read_bytes()
    stage.broker.launch()
    stage.recovered(time.time())
    stage.broker.kill()
    stage.broker.database.write_bytes(old)
    stage.broker.launch()
    return time.time()


def _edge_killed(stage: Stage, dice: random.Random) -> float:
    stage.kill_load()
    _pause(dice)
    stage.play_load(*stage.load_words)
    return time.time()


def _edge_stopped(stage: Stage, dice: random.Random) -> float:
    assert stage.load is not None
    stage.load.terminate()
    stage.load.wait(45)
    _pause(dice)
    stage.play_load(*stage.load_words)
    return time.time()


def _ingest_and_broker(stage: Stage, dice: random.Random) -> float:
    """What breaks designs that trust a PUBACK: the broker falls while the ingest is away."""
    stage.kill_ingest()
    _pause(dice, 1, 2)
    stage.broker.kill()
    _pause(dice)
    stage.broker.launch()
    _pause(dice)
    stage.start_ingest()
    return time.time()


def _ten_minutes(stage: Stage, dice: random.Random) -> float:
    """Longer than the broker's queue lasts; what it has forgotten besides, edges still hold."""
    stage.kill_ingest()
    ends = time.monotonic() + 600
    time.sleep(dice.uniform(200, 400))
    stage.broker.kill()
    _pause(dice)
    stage.broker.launch()
    time.sleep(max(0.0, ends - time.monotonic()))
    stage.start_ingest()
    return time.time()


def _edge_and_broker(stage: Stage, dice: random.Random) -> float:
    stage.broker.kill()
    _pause(dice)
    stage.kill_load()
    _pause(dice)
    stage.broker.launch()
    stage.play_load(*stage.load_words)
    return time.time()


def _edge_and_receiver(stage: Stage, dice: random.Random) -> float:
    stage.fresh_supervisor()
    stage.fallen = True
    stage.kill_load()
    stage.child("receiver").kill()
    _pause(dice, 0, 0.5)
    stage.play_load(*stage.load_words)
    return time.time()


def _everything(stage: Stage, dice: random.Random) -> float:
    """A power cut of the whole estate, disks apart: nothing of this machine's cache is lost."""
    stage.broker.kill()
    stage.kill_load()
    stage.kill_ingest()
    _pause(dice)
    for start in dice.sample(
        (stage.broker.launch, stage.start_ingest, lambda: stage.play_load(*stage.load_words)), 3
    ):
        start()
    return time.time()


def _cut(stage: Stage, dice: random.Random) -> float:
    path = dice.choice((stage.edge_path, stage.ingest_path))
    path.refusing = True
    path.cut()
    _pause(dice)
    path.refusing = False
    return time.time()


def _silent(stage: Stage, dice: random.Random, *, least: float = 2.0, most: float = 4.0) -> float:
    """No packet passes for a while, and nobody hears that it is so."""
    path = dice.choice((stage.edge_path, stage.ingest_path))
    path.freeze()
    _pause(dice, least, most)
    path.thaw()
    return time.time()


def _half_open(stage: Stage, dice: random.Random) -> float:
    dice.choice((stage.edge_path, stage.ingest_path)).half_open()
    return time.time()


def _slow(stage: Stage, dice: random.Random, *, latency: float, rate: float, lasts: float) -> float:
    for path in (stage.edge_path, stage.ingest_path):
        path.latency, path.rate = latency, rate
    time.sleep(lasts)
    for path in (stage.edge_path, stage.ingest_path):
        path.latency = path.rate = 0.0
    return time.time()


def _file_locked(stage: Stage, dice: random.Random, *, file: File, lasts: float) -> float:
    with locked(stage.file(file)):
        time.sleep(lasts)
    return time.time()


def _upgraded(stage: Stage, dice: random.Random) -> float:
    """Put each file back to the tables before its last ones, and start what knows the last ones.

    Edges hold meanwhile what they make. The upgrade is what an update of Linli does at its start.
    """
    assert stage.stop_ingest() == 0
    stage.step_back()
    _pause(dice)
    stage.start_ingest()
    return time.time()


def _stands_still(stage: Stage, dice: random.Random, *, who: str) -> float:
    process = stage.broker.process if who == "broker" else stage.child(who)
    process.suspend()
    _pause(dice, 1, 3)
    process.resume()
    return time.time()


def _web_hangs(stage: Stage, dice: random.Random) -> float:
    """Let the web process stand still for good: its parent must find that out by itself."""
    del dice
    stage.fresh_supervisor()
    stage.fallen = True
    hung = stage.child("web")
    time.sleep(12)  # until its parent has had an answer: who starts may take longer
    hung.suspend()
    until(lambda: not hung.is_running() or hung.status() == psutil.STATUS_ZOMBIE, 120)
    return time.time()


CATALOGUE = (
    *(
        Fault(f"receiver falls {point}", "R1", partial(_at_failpoint, point=point))
        for point in POINTS
    ),
    Fault("receiver killed", "R1", partial(_child_killed, name="receiver"), single_kill=True),
    Fault("web killed", "R1", partial(_child_killed, name="web"), single_kill=True),
    Fault("ingest killed", "R1", _ingest_killed, single_kill=True),
    Fault("web hangs until its parent ends it", "R11", _web_hangs, long=True),
    Fault("broker killed", "R2", _broker_killed, single_kill=True),
    Fault("broker killed, its database deleted", "R2", _broker_forgot),
    Fault("broker killed, an old database put back", "R2", _broker_restored),
    Fault("edge killed", "R3", _edge_killed, single_kill=True),
    Fault("broker killed while the ingest is down", "R4", _ingest_and_broker),
    Fault("ingest down for half a minute", "R4", partial(_ingest_killed, least=30, most=30), True),
    Fault("edge killed while the broker is down", "R4", _edge_and_broker),
    Fault("edge and receiver killed together", "R4", _edge_and_receiver),
    Fault("edge, broker and ingest killed together", "R4", _everything),
    Fault("journal locked", "R5", partial(_file_locked, file="journal", lasts=2)),
    Fault(
        "journal locked past all patience",
        "R5",
        partial(_file_locked, file="journal", lasts=13),
        True,
    ),
    Fault(
        "state locked past all patience", "R5", partial(_file_locked, file="state", lasts=13), True
    ),
    Fault(
        "series locked past all patience",
        "R5",
        partial(_file_locked, file="series", lasts=13),
        True,
    ),
    Fault("connections cut", "R7", _cut),
    Fault("no packet passes", "R7", _silent),
    Fault("no packet passes for a minute", "R7", partial(_silent, least=60, most=60), True),
    Fault("one side forgets the connection", "R7", _half_open, True),
    Fault("2 s of latency each way", "R7", partial(_slow, latency=2.0, rate=0, lasts=6), True),
    Fault("16 kB/s each way", "R7", partial(_slow, latency=0.2, rate=16_000, lasts=3)),
    Fault("receiver stands still", "R7", partial(_stands_still, who="receiver")),
    Fault("broker stands still", "R7", partial(_stands_still, who="broker"), True),
    Fault("ingest ended by SIGTERM", "R13", _ingest_stopped),
    Fault("edge ended by SIGTERM", "R13", _edge_stopped),
    Fault("ingest upgraded from the tables before these", "R13", _upgraded, long=True),
)

TEN_MINUTES = (
    Fault(
        "ingest down for ten minutes, broker killed meanwhile",
        "R4",
        _ten_minutes,
        long=True,
        patience=1200,
    ),
)
"""By itself, and for one seed: it takes as long as all others of a seed together."""
