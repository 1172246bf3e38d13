"""Episodes that an earlier run left open, because it fell: each gets its end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from edge import health, messages
from edge.agent.recorder import Recorded
from edge.spool import Spool
from linli.clock import Clock
from linli.codec import decode
from linli.errors import LinliError
from linli.events import EventMessage
from linli.ids import uuid7
from linli.log import get_logger
from linli.topics import Topic

log = get_logger(__name__)


Adopt = Callable[[Topic, EventMessage], bool]


def end_left_open(
    spool: Spool,
    clock: Clock,
    recorded: Callable[[Recorded], None],
    adopt: Adopt = lambda _topic, _begin: False,
) -> None:
    """Put the end of each, at the time of its begin: nobody knows of any later sight.

    `adopt` says whether somebody goes on with it instead.

    To be called before a camera records. What cannot be put now is tried again by the next start.
    """
    for name, payload in spool.open_episodes():
        try:
            topic = Topic.parse(name)
            begin = decode(topic, payload).message
            assert isinstance(begin, EventMessage)  # nothing else opens an episode
            if not adopt(topic, begin):
                recorded(_end(spool, clock, topic, begin))
        except LinliError as error:
            log.warning("agent: an episode left open cannot be ended: %s", error)


def _end(spool: Spool, clock: Clock, topic: Topic, begin: EventMessage) -> Recorded:
    now = clock.now()
    data = msgspec.structs.replace(begin.data, phase="end", track=None, snapshot=None)
    event_id = uuid7(now)
    make = partial(
        messages.event,
        topic,
        health.stamp(clock),
        data=data,
        event_id=event_id,
        time=begin.time,
        subject=begin.subject,
    )
    row = spool.put("events", str(topic), make, closes=data.episode)
    return Recorded(
        event_id=event_id,
        event=topic.name,
        row=row,
        phase="end",
        episode=data.episode,
        time=begin.time,
        captured=now,
    )
