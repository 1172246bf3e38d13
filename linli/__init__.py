"""The shared ground of Linli: what crosses the wire, and the command line on top."""
