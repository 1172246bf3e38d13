"""The guidance point: what is held before a camera, the right bin said and shown, nothing kept."""
