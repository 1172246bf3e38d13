"""Floor plans: the drawing of a place, and where devices stand on it."""
