"""What a mosquitto's configuration file means for Linli, in plain words: pure."""

from __future__ import annotations

from collections.abc import Iterator

from linli.broker.conf import Conf, Listener
from linli.broker.remark import Remark, bad, doubtful, fine, unknown

LARGEST = 65536
ENOUGH_WINDOW = 100
ENOUGH_QUEUE = 10_000
_PLUGINS = ("plugin", "auth_plugin", "global_plugin")


def judge(conf: Conf) -> Iterator[Remark]:
    """Yield a remark for each thing that Linli depends on."""
    if conf.spread:
        yield unknown(
            "other-files",
            f"more of it is in {conf.general['include_dir']}, which is not read here",
            "Check each of these files too",
        )
    yield from _listeners(conf)
    yield from _names(conf)
    yield from _rules(conf)
    yield from _queues(conf)
    yield from _sizes(conf)
    yield from _kept(conf)


def _listeners(conf: Conf) -> Iterator[Remark]:
    if not conf.listeners:
        yield doubtful(
            "listener",
            "no listener is named: mosquitto 2 then answers this machine alone",
            "Write `listener 8883`, with certfile and keyfile, for boxes elsewhere",
        )
    for one in conf.listeners:
        where = f"port {one.port}"
        if conf.yes("allow_anonymous", one):
            yield bad(
                "anonymous",
                f"{where}: whoever reaches it may read and write, without a name",
                "Write `allow_anonymous false`",
            )
        if one.local or one.encrypted:
            yield fine("encryption", f"{where}: {'TLS' if one.encrypted else 'this machine alone'}")
        else:
            yield bad(
                "encryption",
                f"{where}: not encrypted, so passwords and all facts can be read along the way",
                "Give it certfile and keyfile (`linli broker ca`), or bind it to 127.0.0.1",
            )
        yield from _proof(conf, one, where)


def _proof(conf: Conf, one: Listener, where: str) -> Iterator[Remark]:
    """Yield how clients prove who they are."""
    if conf.yes("require_certificate", one):
        if conf.get("crlfile", one) is None:
            yield bad(
                "revocation",
                f"{where}: a stolen box cannot be shut out: no revoked certificate is known",
                "Write `crlfile`, as `linli broker render` does",
            )
        if not (
            conf.yes("use_identity_as_username", one) or conf.yes("use_subject_as_username", one)
        ):
            yield bad(
                "identity",
                f"{where}: certificates are asked for, but who it is stays what a client claims",
                "Write `use_identity_as_username true`",
            )
    elif conf.yes("allow_anonymous", one):
        return
    elif conf.get("password_file", one) is None and not _plugged(conf, one):
        yield bad(
            "proof",
            f"{where}: nobody can prove who they are, so nobody is let in",
            "Write `password_file`, or `require_certificate true`",
        )


def _names(conf: Conf) -> Iterator[Remark]:
    listeners: list[Listener | None] = [*conf.listeners] or [None]
    if all(conf.yes("use_username_as_clientid", one) for one in listeners):
        yield fine("client-id", "a client's id is its user: nobody can take another's")
    else:
        yield bad(
            "client-id",
            "a client may call itself by another's id: it throws that one out and gets what "
            "waits for it",
            "Write `use_username_as_clientid true`",
        )


def _rules(conf: Conf) -> Iterator[Remark]:
    listeners: list[Listener | None] = [*conf.listeners] or [None]
    if all(conf.get("acl_file", one) for one in listeners):
        yield unknown(
            "rules",
            "there is a file of rules; whether they are right is not read from here",
            "Compare: linli broker render --check",
        )
    elif any(_plugged(conf, one) for one in listeners):
        yield unknown("rules", "a plugin decides who may what", "Look into the plugin's own rules")
    else:
        yield bad(
            "rules",
            "there are no rules: everybody let in may write as any box and read everything",
            "Write `acl_file`, as `linli broker render` does",
        )


def _queues(conf: Conf) -> Iterator[Remark]:
    window = conf.number("max_inflight_messages", 20)
    if window is None or 0 < window < ENOUGH_WINDOW:
        yield doubtful(
            "window",
            f"`max_inflight_messages` is {window}: the ingest waits for the network "
            "after each of these few",
            "Write `max_inflight_messages 1000`",
        )
    else:
        yield fine("window", f"{window or 'any number of'} messages may be under way at once")
    queue = conf.number("max_queued_messages", 1000)
    if queue is None or 0 < queue < ENOUGH_QUEUE:
        yield bad(
            "queue",
            f"at most {queue} messages wait for an ingest that is away; the next are dropped "
            "without a word, and receipts for boxes likewise",
            "Write `max_queued_messages 100000`",
        )
    elif queue == 0 and not conf.number("max_queued_bytes", 0):
        yield doubtful(
            "queue",
            "what waits for a client that is away has no bound: it may fill the memory",
            "Write `max_queued_messages 100000` and `max_queued_bytes 268435456`",
        )
    else:
        yield fine("queue", "what waits for a client that is away has room and a bound")
    if any(conf.get("max_qos", one) == "0" for one in [*conf.listeners, None]):
        yield bad("qos", "messages are not acknowledged: facts get lost", "Write `max_qos 1`")


def _sizes(conf: Conf) -> Iterator[Remark]:
    if "message_size_limit" in conf.general:
        yield bad(
            "size",
            "`message_size_limit` answers what is too large with a code that stops clients",
            "Write `max_packet_size 65536` instead",
        )
    packet = conf.number("max_packet_size", 0)
    if packet is None or 0 < packet < LARGEST:
        yield bad(
            "size",
            f"a message may have {packet} bytes, the contract's up to {LARGEST}",
            f"Write `max_packet_size {LARGEST}`",
        )
    elif packet == 0:
        yield doubtful(
            "size",
            "one message may be as large as 256 MB",
            f"Write `max_packet_size {LARGEST}`",
        )
    if conf.number("memory_limit", 0):
        yield fine("memory", "its memory has a bound")
    else:
        yield doubtful(
            "memory",
            "its memory has no bound: one box can fill it with retained messages",
            "Write `memory_limit 536870912`",
        )


def _kept(conf: Conf) -> Iterator[Remark]:
    if any("persist" in conf.general.get(name, "") for name in _PLUGINS):
        yield fine("persistence", "sessions and retained messages are kept by a plugin")
    elif not conf.yes("persistence"):
        yield bad(
            "persistence",
            "a restart forgets what waits and what is retained: presence, receipts, descriptions",
            "Write `persistence true` and `persistence_location`",
        )
    elif (conf.number("autosave_interval", 1800) or 0) > 300:
        yield doubtful(
            "persistence",
            "it is written down only every "
            f"{conf.number('autosave_interval', 1800)} seconds: a power cut loses that much",
            "Write `autosave_interval 60`",
        )
    else:
        yield fine("persistence", "sessions and retained messages survive a restart")


def _plugged(conf: Conf, listener: Listener | None) -> bool:
    """Tell whether a plugin may decide; one that keeps sessions does not."""
    found = (conf.get(name, listener) or "" for name in _PLUGINS)
    return any(one and "persist" not in one for one in found)
