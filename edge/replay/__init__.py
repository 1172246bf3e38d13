"""A recording played through a camera's configuration, to see why it did or did not alarm."""
