"""Bytes that a hostile or broken sender may send instead of an event; each is refused."""

from __future__ import annotations

from facts import event_bytes

from linli.events import MAX_PAYLOAD

GOOD = event_bytes(9)
LARGEST_PACKET = 65_000
"""About what the broker lets through, topic and all."""


def with_field(text: bytes) -> bytes:
    """Return the good event with one more field in its data."""
    return GOOD.replace(b'"phase"', text + b',"phase"', 1)


HOSTILE = {
    "deep arrays in a field nobody knows": with_field(b'"x":' + b"[" * 10_000 + b"]" * 10_000),
    "deep objects in a field nobody knows": with_field(
        b'"x":' + b'{"a":' * 3000 + b"1" + b"}" * 3000
    ),
    "a huge string where a name belongs": GOOD.replace(b'"gate"', b'"' + b"g" * 30_000 + b'"'),
    "a huge string in a field nobody knows": with_field(b'"x":"' + b"A" * 30_000 + b'"'),
    "a huge number": GOOD.replace(b'"confidence":0.9', b'"confidence":' + b"9" * 5000),
    "a number too large for a float": GOOD.replace(b'"confidence":0.9', b'"confidence":1e999'),
    "not a number": GOOD.replace(b'"confidence":0.9', b'"confidence":NaN'),
    "invalid UTF-8": GOOD.replace(b"gate", b"ga\xffe"),
    "overlong UTF-8": GOOD.replace(b"gate", b"\xc0\xaf"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a lone surrogate": GOOD.replace(b"gate", b"\\ud800"),
    "a lone surrogate in a field nobody knows": with_field(b'"x":"\\udfff"'),
    "a NUL in a name": GOOD.replace(b"gate", b"ga\\u0000e"),
    "a line break in a name": GOOD.replace(b"gate", b"ga\\ne"),
    "two documents": GOOD + GOOD,
    "33 KiB": GOOD + b" " * (33 * 1024 - len(GOOD)),
    "one byte too many": GOOD + b" " * (MAX_PAYLOAD + 1 - len(GOOD)),
    "65 KiB": GOOD + b" " * (LARGEST_PACKET - len(GOOD)),
    "a forbidden key among as many as fit": with_field(
        b",".join(b'"k%d":%d' % (n, n) for n in range(2200)) + b',"plate":"A1"'
    ),
    "more keys than fit": with_field(b",".join(b'"k%d":%d' % (n, n) for n in range(4700))),
    "nothing": b"",
}
