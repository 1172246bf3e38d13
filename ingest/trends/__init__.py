"""What gets worse: hourly counts against their own past. Pure."""
