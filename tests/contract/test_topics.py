"""The topic grammar: what it builds it reads, and it reads nothing else."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linli.topics import (
    Topic,
    is_id,
    node_status_topic,
    parse_shared,
    receipt_topic,
    reject_topic,
    shared_topic,
    topic_filter,
)

ids = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)
topics = st.builds(Topic, ids, ids | st.just("_sys"), ids, ids, ids, ids)


@given(topics)
def test_a_printed_topic_reads_back_as_itself(topic: Topic) -> None:
    assert Topic.parse(str(topic)) == topic
    assert len(str(topic).split("/")) == 8
    assert len(str(topic)) <= 206


@given(st.text(max_size=80))
def test_any_text_is_refused_or_is_exactly_a_printed_topic(text: str) -> None:
    try:
        topic = Topic.parse(text)
    except ValueError:
        return
    assert str(topic) == text


@given(ids, st.sampled_from(["event", "registry"]), ids)
def test_what_is_shared_reads_back_and_no_other_topic_does(site: str, kind: str, name: str) -> None:
    text = shared_topic(site, kind, name)
    assert parse_shared(text) == (site, kind, name)
    others = (f"{text}/x", f"{text}\n", text.replace("_share", "_sys"), text.replace("v1", "v2"))
    assert [parse_shared(one) for one in others] == [None] * 4
    assert parse_shared(text.replace(f"/{kind}/", "/command/")) is None


@given(st.text(alphabet=string.printable, max_size=40))
def test_an_id_has_only_lower_case_ascii(text: str) -> None:
    if is_id(text):
        assert set(text) <= set(string.ascii_lowercase + string.digits + "-")
        assert 1 <= len(text) <= 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "linli/v1",
        "linli/v2/c001/b03/n/cam/event/x",
        "linli/v1/c001/b03/n/cam/event/x/y",
        "linli/v1/c001/b03/n/cam/event/",
        "linli/v1/c001/b03/n/cam/event/x\n",
        "linli/v1/c001/B03/n/cam/event/x",
        "linli/v1/c001/_other/n/cam/event/x",
        "linli/v1/+/b03/n/cam/event/x",
        "linli/v1/c001/b03/n/cam/event/#",
        "linli/v1/c001/b03/n/../event/x",
        "linli/v1/c001/b03/n/摄像头/event/x",
        "linli/v1/c001/b03/n/-cam/event/x",
        "linli/v1/c001/b03/n/" + "a" * 33 + "/event/x",
    ],
)
def test_bad_topics_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        Topic.parse(text)


def test_system_topics_follow_the_contract() -> None:
    assert str(receipt_topic("c001", "n1", "7f3a9c10")) == (
        "linli/v1/c001/_sys/n1/ingest/receipt/7f3a9c10"
    )
    assert str(reject_topic("c001", "n1", "json")) == "linli/v1/c001/_sys/n1/ingest/reject/json"
    assert str(node_status_topic("c001", "b03", "n1")) == (
        "linli/v1/c001/b03/n1/self/health/status"
    )


def test_a_filter_refuses_wildcards_inside_a_level() -> None:
    assert topic_filter("c001", kind="event") == "linli/v1/c001/+/+/+/event/+"
    with pytest.raises(ValueError, match="filter level"):
        topic_filter("c001", node="#")
