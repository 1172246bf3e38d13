"""Where pictures come from: files, network cameras, and a drawn pattern."""
