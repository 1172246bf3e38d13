"""All that is asked of a consumer, in order."""

from __future__ import annotations

from linli.conform import consumer_link, consumer_receipts

CLAUSES = (*consumer_link.CLAUSES, *consumer_receipts.CLAUSES)
