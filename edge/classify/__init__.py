"""Classification: a picture, or a piece of one, in; one `Classification` or *unknown* out."""
