"""Commands out to devices: what may be asked, what came of it."""
