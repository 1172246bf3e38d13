"""Receipts lost, repeated and out of order: what stands between a link and its owner in a test."""

from __future__ import annotations

import random
from collections.abc import Callable

from linli.clock import Clock
from linli.mqtt import Delivery, Link, LinkFactory, LinkHandler, LinkOptions, PahoLink

LOST, TWICE, LATER = 0.1, 0.3, 0.3


class _Jumbled:
    """A handler that hands on receipts in bad order, or not at all; everything else as it is."""

    def __init__(self, handler: LinkHandler, seed: int) -> None:
        self._handler = handler
        self._dice = random.Random(seed)
        self._late: list[Delivery] = []
        self.ack: Callable[[Delivery], None]

    def on_up(self) -> None:
        self._handler.on_up()

    def on_down(self, reason: str) -> None:
        self._handler.on_down(reason)

    def on_sent(self, token: int, error: str | None) -> None:
        self._handler.on_sent(token, error)

    def on_message(self, delivery: Delivery) -> None:
        if "/receipt/" not in delivery.topic or delivery.retain:
            self._handler.on_message(delivery)
            return
        chance = self._dice.random()
        if chance < LOST:
            self.ack(delivery)
        elif chance < LOST + TWICE:
            self._handler.on_message(delivery)
            self._handler.on_message(delivery)
        elif chance < LOST + TWICE + LATER:
            self._late.append(delivery)
        else:
            self._handler.on_message(delivery)
            while self._late:  # older ones after a newer one, the newest of them first
                self._handler.on_message(self._late.pop())


def jumbled(seed: int) -> LinkFactory:
    """Return what makes real links whose receipts are jumbled by a seed."""

    def connect(options: LinkOptions, handler: LinkHandler, clock: Clock) -> Link:
        between = _Jumbled(handler, seed)
        link = PahoLink(options, between, clock)
        between.ack = link.ack
        return link

    return connect
