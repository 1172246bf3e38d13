"""Proof that the chain works: probes from the broker to the live feed, and what they show."""
