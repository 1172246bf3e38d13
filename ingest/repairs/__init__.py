"""What was found wrong: one finding, since when, and what is kept of it."""
