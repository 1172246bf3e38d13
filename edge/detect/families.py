"""Which family a model belongs to, told by the shapes of its inputs and outputs."""

from __future__ import annotations

from edge.detect.decoder import Decoder, Signature
from edge.detect.fastestdet import KNOWN as FASTESTDET
from edge.detect.fastestdet import fastestdet
from edge.detect.yolox import KNOWN as YOLOX
from edge.detect.yolox import yolox
from linli.errors import InputError

FAMILIES = {"yolox": (yolox, YOLOX), "fastestdet": (fastestdet, FASTESTDET)}


def decoder_for(signature: Signature, *, where: str) -> Decoder:
    """Return the decoder of a model. Raises InputError that says what is known."""
    for family, _ in FAMILIES.values():
        decoder = family(signature)
        if decoder is not None:
            return decoder
    raise InputError(
        f"no decoder knows a model with {signature}",
        where=where,
        hint="Known: " + "; ".join(known for _, known in FAMILIES.values()),
    )
