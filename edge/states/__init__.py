"""Scene states: what a fixed place in the picture looks like, taught with a few pictures."""
