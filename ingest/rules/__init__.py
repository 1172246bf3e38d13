"""Rules: what turns facts into incidents, written down by people, in the time of the facts."""
