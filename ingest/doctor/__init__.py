"""What is wrong with an ingest and its edges: looked at by the command and by the web process."""
