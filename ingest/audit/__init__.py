"""Who did what: a log whose every row is bound to the one before."""
