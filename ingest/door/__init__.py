"""Who knocks at the broker and is not let in, and what it keeps for those who come later."""
