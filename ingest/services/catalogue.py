"""The list of metrics, and the page of the reference made from it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge"]
Labels = tuple[str, ...]


class Spec(NamedTuple):
    """One metric: `labels` by name, `about` for people."""

    name: str
    kind: Kind
    labels: Labels
    about: str


CATALOGUE: tuple[Spec, ...] = (
    Spec(
        "linli_stored_messages",
        "counter",
        ("kind",),
        "messages of the journal that the consumer of incidents has read, by kind",
    ),
    Spec(
        "linli_receiver_duplicates",
        "counter",
        (),
        "messages that came again and were kept already",
    ),
    Spec(
        "linli_receiver_rejected",
        "counter",
        ("code",),
        "messages refused for good, by the contract's code",
    ),
    Spec(
        "linli_receiver_turned_away",
        "counter",
        ("node",),
        (
            "messages not read, by node: too many came at once, or too many broke the contract; "
            "a spool sends them again"
        ),
    ),
    Spec(
        "linli_receiver_dropped",
        "counter",
        ("queue",),
        (
            "what a bounded queue gave up: `unanswered` messages without acknowledgement, "
            "`parked` ones of unknown devices, bytes of refused ones in `quarantine`"
        ),
    ),
    Spec(
        "linli_receiver_evicted",
        "counter",
        (),
        "facts that edges gave up before they could send them",
    ),
    Spec(
        "linli_receiver_future",
        "counter",
        (),
        "messages of a clock that runs ahead",
    ),
    Spec(
        "linli_receiver_unknown_fields",
        "counter",
        (),
        "fields of a newer contract that were left out",
    ),
    Spec(
        "linli_receiver_bytes",
        "counter",
        (),
        "bytes of payloads accepted",
    ),
    Spec(
        "linli_receiver_commits",
        "counter",
        (),
        "commits of the journal that carried messages",
    ),
    Spec(
        "linli_receiver_commit_seconds",
        "counter",
        (),
        "time that those commits took",
    ),
    Spec(
        "linli_receiver_parked",
        "gauge",
        (),
        "messages that wait for their device to be confirmed",
    ),
    Spec(
        "linli_broker_refused",
        "counter",
        ("reason",),
        (
            "tries to come to the broker that it refused: `name` without a right name and "
            "password, `tls` without a right certificate or without TLS, `protocol` not MQTT; "
            "`unwritten` ones whose address is not in the audit log"
        ),
    ),
    Spec(
        "linli_broker_retained",
        "gauge",
        (),
        "messages that the broker keeps for those who come later, when it is watched",
    ),
    Spec(
        "linli_broker_retained_ordinary",
        "gauge",
        (),
        "how many a community of this size may need at most",
    ),
    Spec(
        "linli_share_messages",
        "counter",
        ("kind",),
        (
            "messages for the district that the broker took and has on disk: `event` for what is "
            "over, `registry` for how many things there are"
        ),
    ),
    Spec(
        "linli_share_waiting",
        "gauge",
        (),
        "ends of incidents, ten minutes old or more, not taken by the broker for good, up to 1000",
    ),
    Spec(
        "linli_quarantine_bytes",
        "gauge",
        (),
        "bytes of refused messages that are kept",
    ),
    Spec(
        "linli_stream_missing",
        "gauge",
        ("node", "lane"),
        "facts of a node that are known of and have not come",
    ),
    Spec(
        "linli_streams",
        "gauge",
        (),
        "streams of all nodes, one for each lane of each spool",
    ),
    Spec(
        "linli_consumer_lag_rows",
        "gauge",
        ("consumer",),
        "journal rows that a consumer still has before it",
    ),
    Spec(
        "linli_consumer_lag_seconds",
        "gauge",
        ("consumer",),
        "how long the oldest of them has waited",
    ),
    Spec(
        "linli_consumer_poisoned",
        "counter",
        ("consumer",),
        "journal rows that a consumer could not use and skipped",
    ),
    Spec(
        "linli_incidents_unresolved",
        "gauge",
        ("severity", "state"),
        "incidents that are not resolved",
    ),
    Spec(
        "linli_feed_subscribers",
        "gauge",
        (),
        "live streams that are open",
    ),
    Spec(
        "linli_evidence_bytes",
        "gauge",
        (),
        "bytes of pictures that are kept",
    ),
    Spec(
        "linli_evidence_pictures",
        "gauge",
        (),
        "pictures that are kept",
    ),
    Spec(
        "linli_notifications",
        "gauge",
        ("state",),
        "notifications by what became of them; all states together are all that were ever made",
    ),
    Spec(
        "linli_notification_doubts",
        "counter",
        (),
        "notifications that may have come twice: the ingest fell while it sent them",
    ),
    Spec(
        "linli_forgotten_rows",
        "counter",
        ("what",),
        "rows that were deleted because they were 400 days old; figures count them on",
    ),
    Spec(
        "linli_notifications_overdue",
        "gauge",
        (),
        "notifications and steps of ladders more than five minutes late at the last audit",
    ),
    Spec(
        "linli_process_memory_bytes",
        "gauge",
        ("process",),
        "resident memory of receiver and web; the receiver's as it said within the last minute",
    ),
    Spec(
        "linli_disk_free_bytes",
        "gauge",
        (),
        "free on the disk of the data folder",
    ),
    Spec(
        "linli_disk_given_up",
        "counter",
        ("what",),
        "rows, pictures, or bytes of slack, that went because the disk was nearly full",
    ),
    Spec(
        "linli_probe_produced",
        "counter",
        (),
        "probes through the whole chain that were made",
    ),
    Spec(
        "linli_probe_stored",
        "counter",
        (),
        "probes that came through",
    ),
    Spec(
        "linli_probe_lost",
        "gauge",
        (),
        "probes that were lost",
    ),
    Spec(
        "linli_probe_seconds",
        "gauge",
        ("quantile",),
        ("from made to the live feed over the last hour; not there while there is no figure"),
    ),
    Spec(
        "linli_probe_green",
        "gauge",
        (),
        "1 or 0: every probe comes through; not there while nobody can know",
    ),
)

_PAGE = """\
# Metrics

`GET /metrics` answers in Prometheus' text format. It takes an API token with the scope `see`
(`linli ingest token add`), or, with `metrics = "loopback"` in `[http]` of `ingest.toml`, any caller
on the same machine that no proxy speaks for. Nothing in it names a person or repeats a message.

Counters end in `_total` there, and count since the data folder was made; a restart does not begin
anew. What nobody can know has no figure: that is not zero.

Bytes, commits and their time are written down once a second and at the end, not with each commit:
they may be five seconds old, and a kill -9 loses the last of them, no message and no other figure.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def reference() -> str:
    """Return docs/reference/metrics.md."""
    return _PAGE + "".join(_line(one) for one in CATALOGUE)


def _line(one: Spec) -> str:
    name = one.name + "_total" * (one.kind == "counter")
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{name}` | {one.kind} | {labels} | {one.about} |\n"
