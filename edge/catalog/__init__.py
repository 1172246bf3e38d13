"""Which models there are, where their files come from, and whether a file is the right one."""
