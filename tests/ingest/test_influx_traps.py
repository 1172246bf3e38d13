"""What goes wrong with the client library in its usual mode, and must not go wrong with it here.

The traps that need more than the client have their tests beside the writer: 1, 2, 6 and 7 in
test_influx_writer.py, 9 in test_influx_real.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import SITE, Folder
from influx_fake import FakeServer, served, threads

from ingest.consumers.influx import InfluxJob, Sources
from ingest.influx.deliver import deliver
from ingest.influx.endpoint import FakeEndpoint, Unavailable, V2Endpoint
from ingest.settings import Influx

BUSY = (503, {}, b'{"message":"busy"}')


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with served() as server:
        yield server


def endpoint_to(server: FakeServer) -> V2Endpoint:
    return V2Endpoint(Influx(url=server.url, bucket="linli", org="estate"), "token")


def test_trap_3_what_was_written_is_there_without_a_flush(server: FakeServer) -> None:
    """`flush()` of the batching mode does nothing: here a return means that it is stored."""
    endpoint = endpoint_to(server)
    for number in range(3):
        endpoint.write(f"m v={number} {number}")
        assert len(server.asked) == number + 1
    endpoint.close()


def test_trap_4_closing_neither_loses_nor_waits(server: FakeServer) -> None:
    """The batching mode loses its last window, and its thread keeps the process at its exit."""
    before = threads()
    endpoint = endpoint_to(server)
    endpoint.write("m v=1 1")
    assert threads() <= before
    begun = time.monotonic()
    endpoint.close()
    assert time.monotonic() - begun < 1
    assert [body for _, _, body in server.asked] == [b"m v=1 1"]


def test_trap_5_a_server_that_is_away_holds_up_no_other(server: FakeServer) -> None:
    """In the batching mode all clients of a process share one scheduler, and its waiting."""
    with served() as away:
        away.answers = [(503, {"Retry-After": "60"}, b"")]
        waiting, other = endpoint_to(away), endpoint_to(server)
        with pytest.raises(Unavailable):
            waiting.write("m v=1 1")
        begun = time.monotonic()
        other.write("m v=1 1")
        assert time.monotonic() - begun < 5
        assert len(server.asked) == 1
        waiting.close()
        other.close()


def test_trap_8_without_a_retry_of_the_client_it_is_sent_again(
    server: FakeServer, tmp_path: Path
) -> None:
    """The synchronous mode gives up after one request: the writer does not."""
    folder = Folder(tmp_path)
    folder.put_readings_now()
    sources = Sources(
        folder.reader("journal"), folder.reader("state"), folder.reader("series"), folder.state
    )
    job = InfluxJob(sources, lambda: endpoint_to(server), SITE, folder.clock)
    server.answers = [BUSY] * 7
    for _ in range(8):
        assert job.step() is False
        folder.clock.advance(61)
    assert len(server.asked) == 8
    assert all(b"reading," in body for _, _, body in server.asked)
    job.step()
    assert b"reading," not in server.asked[-1][2]
    job.close()
    folder.close()


def test_trap_10_nothing_is_no_request_and_no_request_is_a_thread(server: FakeServer) -> None:
    """An empty batch is a 400; a thread for each flush was another of its mistakes."""
    fake = FakeEndpoint()
    assert deliver(fake, [], "canary v=0 1") == []
    assert fake.calls == 0
    endpoint = endpoint_to(server)
    endpoint.write("m v=1 1")
    before = threads()
    for number in range(20):
        endpoint.write(f"m v={number} {number}")
    assert threads() <= before
    endpoint.close()
