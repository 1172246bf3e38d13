"""What an edge is told when somebody wants to look: a command, that is written down nowhere.

The look is, with who and why; of the edge's side only that counts which pictures it sends.
"""

from __future__ import annotations

import hashlib

from ingest.commands.command import SENDER, TTL
from ingest.live.desk import Ask
from linli.commands import CommandData, CommandMessage
from linli.events import schema_uri
from linli.live import LIVE_VIEW, LONGEST_LEASE
from linli.topics import Topic


def live_command(ask: Ask) -> tuple[Topic, CommandMessage]:
    """Return where it goes, and what."""
    node, device = ask.camera
    topic = Topic(ask.site, ask.area, node, device, "command", LIVE_VIEW)
    operator = "op-" + hashlib.sha256(ask.operator.encode()).hexdigest()[:8]
    return topic, CommandMessage(
        specversion="1.0",
        id=ask.id,
        source=f"/{ask.site}/{SENDER}",
        type=topic.type,
        time=ask.at,
        datacontenttype="application/json",
        dataschema=schema_uri("command"),
        clocksync="synced",
        expirytime=ask.at + TTL,
        data=CommandData(operator=operator, holds=LONGEST_LEASE),
    )
