"""The listener at the end of the chain: hears of each probe by the live feed, as browsers do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.feed import Feed
from ingest.services.chain import HEARTBEAT, ChainService
from linli.errors import StoreError
from linli.log import get_logger

log = get_logger(__name__)


@asynccontextmanager
async def watching(chain: ChainService, feed: Feed) -> AsyncIterator[None]:
    """Watch for as long as the block lasts."""
    chain.start()
    task = asyncio.create_task(_watch(chain, feed))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _watch(chain: ChainService, feed: Feed) -> None:
    with feed.subscribe() as heard:
        while True:
            changed = await heard.changed(HEARTBEAT)
            if changed is None:
                return
            if "chain" not in changed:
                continue
            try:
                await asyncio.to_thread(chain.note_shown)
            except StoreError as error:
                log.warning("chain: %s", error)
