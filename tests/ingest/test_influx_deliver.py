from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest
from influx_fake import served, threads

from ingest.influx.deliver import Refusal, deliver
from ingest.influx.endpoint import (
    FakeEndpoint,
    Refused,
    Unavailable,
    endpoint_of,
    judge,
)
from ingest.influx.reader import InfluxTimeseries
from ingest.settings import Influx
from linli.errors import StoreError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = [f"m,t=a v={number} {number}" for number in range(64)]
CANARY = "linli v=0 1"


def refusing(*bad: str, partly: bool = False) -> FakeEndpoint:
    """InfluxDB 2 refuses the whole batch of one bad line; 1 and 3 store its good ones."""
    fake = FakeEndpoint()

    def answer(lines: list[str]) -> None:
        if not set(bad) & set(lines):
            return
        if partly:
            keep = FakeEndpoint()
            for line in set(lines) - set(bad):
                keep.write(line)
            fake.stored |= keep.stored
        raise Refused(400, f"{len(set(bad) & set(lines))} bad")

    fake.answer = answer
    return fake


@pytest.mark.parametrize("partly", [False, True], ids=["whole batch refused", "good ones stored"])
def test_bad_lines_are_found_and_good_ones_are_stored(*, partly: bool) -> None:
    bad = (LINES[0], LINES[31], LINES[63])
    fake = refusing(*bad, partly=partly)
    assert deliver(fake, LINES, CANARY) == [Refusal(line, 400, "1 bad") for line in bad]
    assert set(fake.stored.values()) == set(LINES) - set(bad) | {CANARY}
    assert fake.calls < 3 * 2 * 7


def test_a_batch_without_a_good_line_is_bad_when_the_server_takes_others() -> None:
    fake = refusing(*LINES)
    assert [one.line for one in deliver(fake, LINES, CANARY)] == LINES


def test_a_server_that_refuses_everything_costs_no_point() -> None:
    fake = refusing(*LINES, CANARY)
    with pytest.raises(Unavailable, match=r"refuses every point \(400: 1 bad\)") as error:
        deliver(fake, LINES, CANARY)
    assert error.value.person
    assert fake.calls == 2


def test_a_server_that_goes_away_meanwhile_costs_no_point() -> None:
    fake = refusing(LINES[40])
    before = fake.answer
    assert before is not None

    def dying(lines: list[str]) -> None:
        if fake.calls > 4:
            raise Unavailable("gone")
        before(lines)

    fake.answer = dying
    with pytest.raises(Unavailable, match="gone"):
        deliver(fake, LINES, CANARY)


def test_nothing_is_sent_of_nothing() -> None:
    fake = FakeEndpoint()
    assert deliver(fake, [], CANARY) == []
    assert fake.calls == 0


@pytest.mark.parametrize("status", [400, 413, 422])
def test_these_answers_are_about_the_points(status: int) -> None:
    with pytest.raises(Refused, match="bad line"):
        judge(status, "bad line", None)


@pytest.mark.parametrize(
    ("status", "wait", "after"),
    [
        (429, "7", 7),
        (503, "Mon, 02 Mar 2026 12:00:30 GMT", 30),
        (503, None, None),
        (500, "soon", None),
        (429, "999999", 600),
        (503, "-5", 0),
        (429, "nan", None),
        (408, None, None),
    ],
)
def test_these_answers_ask_for_patience(status: int, wait: str | None, after: object) -> None:
    with pytest.raises(Unavailable) as error:
        judge(status, "", wait, now=NOW)
    assert (error.value.after, error.value.person) == (after, False)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405])
def test_these_answers_need_a_person(status: int) -> None:
    with pytest.raises(Unavailable, match=str(status)) as error:
        judge(status, "no such bucket", None)
    assert error.value.person


V1 = {"api": "v1", "bucket": "linli/week", "username": "linli"}
V2 = {"api": "v2", "bucket": "linli", "org": "estate"}


@pytest.fixture(params=[V1, V2], ids=["v1", "v2"])
def both(request, tmp_path):
    """Both ways of writing keep one contract, before a server that answers as 1, 2 and 3 do."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    with served() as server:
        endpoint = endpoint_of(Influx(url=server.url, token_file=str(secret), **request.param))
        yield server, endpoint
        endpoint.close()


def test_lines_arrive_as_they_are_with_the_credentials(both) -> None:
    server, endpoint = both
    server.answers = [(204, {}, b"")]
    endpoint.write("m,t=邻里 v=1 1\nm v=2 2")
    ((path, headers, body),) = server.asked
    assert body.decode() == "m,t=邻里 v=1 1\nm v=2 2"
    assert "precision=ns" in path
    if path.startswith("/api/v2/write"):
        assert "org=estate" in path
        assert "bucket=linli" in path
        assert headers["Authorization"] == "Token s3cret"
    else:
        assert "db=linli" in path
        assert "rp=week" in path
        assert headers["Authorization"] == "Basic bGlubGk6czNjcmV0"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b'{"error":"partial write: field type conflict dropped=1"}', "field type conflict"),
        (400, b'{"code":"invalid","message":"unable to parse"}', "unable to parse"),
        (422, b'{"message":"beyond retention","line":3}', "beyond retention"),
        (413, b"too large", "too large"),
        (400, b"", "400"),
    ],
)
def test_the_words_of_every_version_are_kept(both, status: int, body: bytes, words: str) -> None:
    server, endpoint = both
    server.answers = [(status, {}, body)]
    with pytest.raises(Refused, match=words) as error:
        endpoint.write("m v=1 1")
    assert error.value.status == status
    assert len(server.asked) == 1


def test_each_call_is_one_request_whatever_the_answer(both) -> None:
    """Its own retries would give up after three minutes; and none of its threads may outlive it."""
    server, endpoint = both
    before = threads()
    server.answers = [(503, {"Retry-After": "3"}, b'{"message":"busy"}'), (401, {}, b"{}")]
    with pytest.raises(Unavailable, match="busy") as error:
        endpoint.write("m v=1 1")
    assert (error.value.after, error.value.person) == (3, False)
    with pytest.raises(Unavailable) as error:
        endpoint.write("m v=1 1")
    assert error.value.person
    assert len(server.asked) == 2
    assert threads() <= before


@pytest.mark.parametrize("how", [V1, V2], ids=["v1", "v2"])
def test_a_server_that_is_not_there_is_waited_for(how) -> None:
    endpoint = endpoint_of(Influx(url="http://127.0.0.1:9", api=how["api"]))
    said = set()
    for _ in range(2):
        with pytest.raises(Unavailable, match="Connection refused") as error:
            endpoint.write("m v=1 1")
        said.add(str(error.value))
        assert not error.value.person
        assert isinstance(error.value, StoreError)
    assert len(said) == 1, "the same failure has the same words, or each would be written down"
    endpoint.close()


@pytest.mark.parametrize("error", [UnicodeError("label too long"), httpx2.InvalidURL("port")])
def test_a_host_that_no_library_can_read_stops_no_thread(monkeypatch, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("ingest.influx.endpoint.open_client", fail)
    monkeypatch.setattr("ingest.influx.reader.open_client", fail)
    with pytest.raises(Unavailable, match=str(error)):
        endpoint_of(Influx(url="http://x", api="v1")).write("m v=1 1")
    with pytest.raises(StoreError, match=str(error)):
        InfluxTimeseries(Influx(url="http://x"), None).keys()


@pytest.mark.parametrize("how", [V1, V2], ids=["v1", "v2"])
def test_no_secret_is_in_what_is_said(how, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    endpoint = endpoint_of(Influx(url="http://127.0.0.1:9", token_file=str(secret), **how))
    with pytest.raises(Unavailable) as error:
        endpoint.write("m v=1 1")
    assert "s3cret" not in str(error.value)
    endpoint.close()
