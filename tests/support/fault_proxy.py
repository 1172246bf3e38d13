"""A TCP proxy that misbehaves on command: cuts, freezes, delays, narrows, forgets one side."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

CHUNK = 4096
QUEUED = 64


class FaultProxy:
    """Forwards one port to another on loopback, in a thread of its own.

    `latency` (seconds, each way), `rate` (bytes per second each way, 0 for any) and `refusing`
    (close what is new at once) may be set at any time.
    """

    def __init__(self, target: int, *, host: str = "127.0.0.1") -> None:
        self.latency = 0.0
        self.rate = 0.0
        self.refusing = False
        self.port = 0
        self._target = target
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._orphans: list[asyncio.StreamWriter] = []

    def start(self) -> FaultProxy:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

    def cut(self) -> None:
        """Reset every connection, on both sides."""
        self._call(lambda: [_reset(one) for pair in self._pairs for one in pair])

    def freeze(self) -> None:
        """Hold every byte back, as a network does that drops all packets."""
        self._call(self._flowing.clear)

    def thaw(self) -> None:
        """Let everything that was held back arrive."""
        self._call(self._flowing.set)

    def half_open(self) -> None:
        """Let the far side lose every connection while the near side hears nothing of it."""

        def forget() -> None:
            for near, far in self._pairs:
                near.transport.pause_reading()  # type: ignore[attr-defined]
                self._orphans.append(near)
                _reset(far)

        self._call(forget)

    def _call(self, what: Callable[[], object]) -> None:
        done = threading.Event()

        def do() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(do)
        assert done.wait(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, self._host, self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for pair in self._pairs:
            for one in pair:
                _reset(one)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self.refusing:
            _reset(near)
            return
        await self._flowing.wait()
        try:
            answers, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(near)
            return
        pair = (near, far)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pump(reader, far), self._pump(answers, near))
        finally:
            self._pairs.discard(pair)
            _reset(far)
            if near not in self._orphans:
                _reset(near)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read at once, write when due; the bound of the queue is what pushes back."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED)
        writing = self._loop.create_task(self._write(queue, writer))
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await queue.put((self._loop.time() + self.latency, chunk))
        await queue.put((0.0, b""))
        await writing

    async def _write(
        self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, chunk = await queue.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._flowing.wait()
            if not chunk:
                if writer not in self._orphans:
                    writer.close()
                return
            with contextlib.suppress(OSError):
                writer.write(chunk)
                await writer.drain()
            if self.rate:
                await asyncio.sleep(len(chunk) / self.rate)


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
