"""Cursors over the journal: each turns messages into its own effect, once."""
